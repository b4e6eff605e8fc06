"""Python's email package; the argument is the policy: compat32 or default."""
import email, email.policy, email.utils, json, sys

POLICY = getattr(email.policy, sys.argv[1])


def frames():
    while line := sys.stdin.buffer.readline():
        yield sys.stdin.buffer.read(int(line))


def text(msg):
    for part in msg.walk():
        if not part.is_multipart() and part.get_content_maintype() == "text":
            return part.get_payload(decode=True).decode("latin-1")


def senders(msg):
    try:
        if POLICY is email.policy.compat32:
            return [a for _, a in email.utils.getaddresses([str(v) for v in msg.get_all("from", [])])]
        return [a.addr_spec for v in msg.get_all("from", []) for a in v.addresses]
    except Exception:
        return []


for raw in frames():
    try:
        msg = email.message_from_bytes(raw, policy=POLICY)
        out = {"text": text(msg), "from": senders(msg)}
    except Exception as e:
        out = {"text": None, "from": [], "error": repr(e)}
    print(json.dumps(out))
