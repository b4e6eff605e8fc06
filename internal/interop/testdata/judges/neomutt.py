"""neomutt, in a terminal of its own: what it gives to a command, decoded,
and the author in its index.

The first argument is an empty directory."""
import fcntl, json, os, pty, re, select, struct, sys, termios

ROOT = sys.argv[1]
for d in ("cur", "new", "tmp"):
    os.makedirs(os.path.join(ROOT, "mail", d))
count = 0
while line := sys.stdin.buffer.readline():
    raw = sys.stdin.buffer.read(int(line))
    count += 1
    with open(os.path.join(ROOT, "mail", "cur", "%09d.M.host:2,S" % count), "wb") as f:
        f.write(raw)
SEPARATOR = "\036\n"
with open(os.path.join(ROOT, "neomuttrc"), "w") as f:
    f.write(f"""set folder="{ROOT}" spool_file="{ROOT}/mail" mbox_type=Maildir
set crypt_verify_sig=no sort=mailbox-order pipe_decode=yes pipe_split=no wait_key=no
set pipe_sep="\\036\\n" tmpdir="{ROOT}" quit=yes help=no use_threads=no
set history_file="" mail_check=0 timeout=1 charset="iso-8859-1"
set index_format="<<%C %a>>" status_format="" ts_enabled=no
ignore *
push "<tag-pattern>~A<enter><tag-prefix><pipe-message>cat >{ROOT}/out; touch {ROOT}/done<enter><exit>"
""")

pid, fd = pty.fork()
if pid == 0:
    # All of the index is on one screen.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", min(count + 9, 32000), 250, 0, 0))
    os.environ.update(TERM="vt100", LC_ALL="C", HOME=ROOT)
    os.execvp("neomutt", ["neomutt", "-n", "-F", os.path.join(ROOT, "neomuttrc")])
screen = b""
while select.select([fd], [], [], 120)[0]:
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
if not os.path.exists(os.path.join(ROOT, "done")):
    sys.exit("neomutt ended: " + repr(screen[-1000:]))
with open(os.path.join(ROOT, "out"), "rb") as f:
    shown = f.read().split(SEPARATOR.encode())
if len(shown) == count + 1 and not shown[-1].strip():
    shown.pop()
if len(shown) != count:
    sys.exit("neomutt showed %d messages of %d" % (len(shown), count))


authors = {int(n): a for n, a in re.findall(r"<<(\d+) ([^<>]*)>>", screen.decode("latin-1"))}


def first(text):
    """What stands before the mark of the first part that is not the first."""
    text = re.split(r"\r?\n\r?\n", text, maxsplit=1)[-1]  # behind the header
    parts = re.split(r"\[-- (?:Attachment #\d|Type:|application/|Error|The following|End|Warning)[^\n]*--\]\n", text)
    for p in parts:
        if p.strip():
            return p


for n, text in enumerate(shown, 1):
    print(json.dumps({"text": first(text.decode("latin-1")), "from": [authors[n].strip()] if n in authors else []}))
