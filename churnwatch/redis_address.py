"""Taking the login out of a Redis address, so that the address can be shown and the password cannot. Pure."""

from urllib.parse import parse_qsl, unquote, urlencode

_IN_QUERY = ("username", "password")


def split_login(address: str) -> tuple[str, dict[str, str]]:
    """Return the address without a login, and `username` and `password` as far as it has them.

    Whatever stands before the last `@` is a login, also where the address is no good or a password was not escaped: what
    is left goes into messages.

    >>> split_login("rediss://ann:s%2Fsecret@redis:6379/0")
    ('rediss://redis:6379/0', {'username': 'ann', 'password': 's/secret'})
    >>> split_login("redis://:se/c#r?et@redis:6379")
    ('redis://redis:6379', {'password': 'se/c#r?et'})
    >>> split_login("ann:secret@redis:6379"), split_login("unix:///run/r@1.sock?password=secret&db=1")
    (('redis:6379', {'username': 'ann', 'password': 'secret'}), ('unix:///run/r@1.sock?db=1', {'password': 'secret'}))
    """
    scheme = address[: address.index("://") + 3] if "://" in address else ""
    rest, path = address.removeprefix(scheme), ""
    if scheme == "unix://":  # the path of a socket may hold an @; its login stands before it
        rest, slash, path = rest.partition("/")
        path = slash + path
    login, _, host = rest.rpartition("@")
    username, _, password = login.partition(":")
    found = {"username": unquote(username), "password": unquote(password)}
    place, _, query = (host + path).partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    found |= {name: value for name, value in pairs if name in _IN_QUERY}
    if any(name in _IN_QUERY for name, _ in pairs):
        query = urlencode([pair for pair in pairs if pair[0] not in _IN_QUERY])
    bare = scheme + place + (f"?{query}" if query else "")
    return bare, {name: value for name, value in found.items() if value}
