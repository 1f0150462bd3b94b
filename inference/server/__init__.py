"""The model server: image classification over HTTP, in a process of its own.

Nothing here knows Django or the database. Paddle is imported in the spawned prediction processes
only (child.py), because it holds the GIL while it predicts, replaces signal handlers on import,
and takes its process down when it crashes.

In the order a request flows: main.py starts, front.py answers HTTP, protocol.py checks bodies,
pool.py hands the images to a free prediction process, child.py runs in that process, pixels.py
decodes, classifier.py predicts.
"""
