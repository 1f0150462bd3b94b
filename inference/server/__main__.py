"""`python -m inference.server --port 1234 --model-dir data/models`: the server without Django."""

# Prediction processes import this module again (as `__mp_main__`), so it imports nothing itself.
if __name__ == "__main__":
    import sys

    from inference.server.main import from_command_line

    sys.exit(from_command_line(sys.argv[1:]))
