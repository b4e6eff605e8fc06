"""neomutt, in a terminal of its own: what it gives to a command, decoded,
and the author in its index.

The first argument is an empty directory."""
import fcntl, json, os, pty, re, select, struct, sys, termios

BATCH = 1000
SEPARATOR = b"\036\n"


def frames():
    while line := sys.stdin.buffer.readline():
        yield sys.stdin.buffer.read(int(line))


def first(text):
    """What stands before the mark of the first part that is not the first."""
    text = re.split(r"\r?\n\r?\n", text, maxsplit=1)[-1]  # behind the header
    parts = re.split(r"\[-- (?:Attachment #\d|Type:|application/|Error|The following|End|Warning)[^\n]*--\]\n", text)
    for p in parts:
        if p.strip():
            return p


def run(root, messages):
    os.makedirs(root)
    # An MMDF mailbox keeps every octet and the order.
    with open(os.path.join(root, "mail"), "wb") as f:
        for raw in messages:
            f.write(b"\1\1\1\1\n" + raw + (b"" if raw.endswith(b"\n") else b"\n") + b"\1\1\1\1\n")
    with open(os.path.join(root, "neomuttrc"), "w") as f:
        f.write(f"""set folder="{root}" spool_file="{root}/mail" mbox_type=MMDF
set crypt_verify_sig=no sort=mailbox-order pipe_decode=yes pipe_split=no wait_key=no
set pipe_sep="\\036\\n" tmpdir="{root}" quit=yes help=no use_threads=no
set history_file="" mail_check=0 timeout=1 charset="utf-8" read_inc=0 write_inc=0
set index_format="<<%C %a>>" status_format="" ts_enabled=no
ignore *
push "<tag-pattern>~A<enter><tag-prefix><pipe-message>cat >{root}/out; touch {root}/done<enter><exit>"
""")
    pid, fd = pty.fork()
    if pid == 0:
        # All of the index is on one screen.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", len(messages) + 9, 250, 0, 0))
        os.environ.update(TERM="vt100", LC_ALL="C.UTF-8", HOME=root)
        os.execvp("neomutt", ["neomutt", "-n", "-F", os.path.join(root, "neomuttrc")])
    screen = b""
    while select.select([fd], [], [], 240)[0]:
        try:
            data = os.read(fd, 1 << 16)
        except OSError:
            break
        if not data:
            break
        screen += data
    else:
        os.kill(pid, 9)
    os.waitpid(pid, 0)
    if not os.path.exists(os.path.join(root, "done")):
        sys.exit("neomutt ended: " + repr(screen[-1000:]))
    with open(os.path.join(root, "out"), "rb") as f:
        shown = f.read().split(SEPARATOR)
    if len(shown) == len(messages) + 1 and not shown[-1].strip():
        shown.pop()
    if len(shown) != len(messages):
        sys.exit("neomutt showed %d messages of %d" % (len(shown), len(messages)))
    authors = {int(n): a for n, a in re.findall(r"<<(\d+) ([^<>]*)>>", screen.decode("latin-1"))}
    for n, text in enumerate(shown, 1):
        print(json.dumps({"text": first(text.decode("utf-8", "replace")), "from": [authors[n].strip()] if n in authors else []}))


everything = list(frames())
for at in range(0, len(everything), BATCH):
    run(os.path.join(sys.argv[1], str(at)), everything[at:at + BATCH])
