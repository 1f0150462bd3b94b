"""The cast. Alice runs the job, Bob labels, Carol reviews, Dan is on another team."""

from annotators.models import User

PASSWORD = "a-red-bicycle-42"


def person(name: str, **fields) -> User:
    email = f"{name.lower()}@example.org"
    return User.objects.create_user(email, PASSWORD, name=name, **fields)


def alice() -> User:
    return person("Alice", can_create_jobs=True)


def bob() -> User:
    return person("Bob")


def carol() -> User:
    return person("Carol")


def dan() -> User:
    return person("Dan", can_create_jobs=True)
