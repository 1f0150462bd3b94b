"""The label set of a job: its list, merging, deleting, and taking that back.

Every edit of the list is a Change too, without samples: `params["does"]` says what it did, and
`labels.undo` hands its undoing to the module here that knows how.
"""
