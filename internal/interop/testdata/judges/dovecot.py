"""Dovecot's IMAP server, over its standard input and output.

The first argument is an empty directory."""
import json, os, pwd, re, subprocess, sys

ROOT = sys.argv[1]
NEW = os.path.join(ROOT, "mail", "new")
for d in ("cur", "new", "tmp"):
    os.makedirs(os.path.join(ROOT, "mail", d))
count = 0
while line := sys.stdin.buffer.readline():
    raw = sys.stdin.buffer.read(int(line))
    count += 1
    with open(os.path.join(NEW, "%09d.M.host" % count), "wb") as f:
        f.write(raw)

# Dovecot does not read mail as root.
user = pwd.getpwuid(os.getuid() or pwd.getpwnam("nobody").pw_uid)
if os.getuid() == 0:
    for d, _, files in os.walk(ROOT):
        for name in [d] + [os.path.join(d, f) for f in files]:
            os.chown(name, user.pw_uid, user.pw_gid)
CONF = os.path.join(ROOT, "dovecot.conf")
with open(CONF, "w") as f:
    f.write(f"""log_path = {ROOT}/log
base_dir = {ROOT}/run
mail_location = maildir:{ROOT}/mail
ssl = no
first_valid_uid = 0
first_valid_gid = 0
mail_fsync = never
mail_uid = {user.pw_uid}
mail_gid = {user.pw_gid}
""")
env = {"USER": "u", "HOME": ROOT, "PATH": os.environ["PATH"]}
imap = subprocess.Popen(["doveconf", "-f", "service=imap", "-c", CONF, "-m", "imap", "-e", "/usr/lib/dovecot/imap"],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)


def response():
    """A response, its literals in place of their lengths."""
    out = b""
    while True:
        line = imap.stdout.readline()
        if not line:
            sys.exit("dovecot ended: " + open(os.path.join(ROOT, "log")).read()[-500:])
        m = re.search(rb"\{(\d+)\}\r\n$", line)
        if not m:
            return out + line[:-2]
        out += line[:m.start()] + b"\0" + m.group(1) + b"\0" + imap.stdout.read(int(m.group(1)))


def parse(s, i=0):
    """An S-expression from s at i."""
    if s[i:i + 1] == b"(":
        out, i = [], i + 1
        while s[i:i + 1] != b")":
            if s[i:i + 1] == b" ":
                i += 1
                continue
            v, i = parse(s, i)
            out.append(v)
        return out, i + 1
    if s[i:i + 1] == b'"':
        out, i = b"", i + 1
        while s[i:i + 1] != b'"':
            if s[i:i + 1] == b"\\":
                i += 1
            out, i = out + s[i:i + 1], i + 1
        return out, i + 1
    if s[i:i + 1] == b"\0":
        j = s.index(b"\0", i + 1)
        n = int(s[i + 1:j])
        return s[j + 1:j + 1 + n], j + 1 + n
    m = re.compile(rb"[^ ()\0\"]+").match(s, i)
    v = m.group()
    return (None if v == b"NIL" else v), m.end()


def first(body, path=()):
    """The path and encoding of the first part that is text."""
    if isinstance(body[0], list):
        for i, sub in enumerate(body):
            if not isinstance(sub, list):
                break
            found = first(sub, path + (i + 1,))
            if found:
                return found
        return None
    if body[0].lower() == b"text":
        return path or (1,), (body[5] or b"").lower()
    if body[0].lower() == b"message" and body[1].lower() == b"rfc822" and len(body) > 8:
        inner = body[8]
        return first(inner, path if isinstance(inner[0], list) else path + (1,))
    return None


def command(tag, text):
    imap.stdin.write(b"%s %s\r\n" % (tag, text))
    imap.stdin.flush()
    lines = []
    while True:
        r = response()
        if r.startswith(tag + b" "):
            if not r.startswith(tag + b" OK"):
                sys.exit(repr(r))
            return lines
        lines.append(r)


def decode(data, encoding):
    import base64, quopri
    if encoding == b"base64":
        data = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        return base64.b64decode(data + b"=" * (-len(data) % 4)) if len(data) % 4 != 1 else data
    return quopri.decodestring(data) if encoding == b"quoted-printable" else data


response()
command(b"a", b"EXAMINE INBOX")
results = [{"text": None, "from": []} for _ in range(count)]
wanted = {}
for r in command(b"b", b"FETCH 1:* (ENVELOPE BODYSTRUCTURE)") if count else []:
    m = re.match(rb"\* (\d+) FETCH ", r)
    if not m:
        continue
    n, (items, _) = int(m.group(1)), parse(r, m.end())
    items = dict(zip(items[::2], items[1::2]))
    for a in items[b"ENVELOPE"][2] or []:
        if a[2] and a[3]:
            results[n - 1]["from"].append((a[2] + b"@" + a[3]).decode("latin-1"))
    found = first(items[b"BODYSTRUCTURE"])
    if found:
        wanted.setdefault(found[0], {})[n] = found[1]
for path, messages in wanted.items():
    numbers = sorted(messages)
    for at in range(0, len(numbers), 500):
        group = b",".join(b"%d" % n for n in numbers[at:at + 500])
        for r in command(b"c", b"FETCH %s BODY.PEEK[%s]" % (group, ".".join(map(str, path)).encode())):
            m = re.match(rb"\* (\d+) FETCH \(BODY\[[0-9.]+\] ", r)
            if m:
                body, _ = parse(r, m.end())
                n = int(m.group(1))
                results[n - 1]["text"] = decode(body or b"", messages[n]).decode("latin-1")
for r in results:
    print(json.dumps(r))
