"""Adding data, for people and programs: the page with its preview, the API, historical records."""
