"""Finding images: the panel with all filters, and views of them that people saved."""
