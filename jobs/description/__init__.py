"""The labeling description of a job: what its owner tells those who label, in Markdown."""
