"""Types into a shell on a terminal of its own: interactive_shell.py PROGRAM ARG… reads JSON from
standard input, {"setup": text, "lines": [text]}, types the setup, then each line, and ends."""
import json, os, pty, select, sys, time

typed = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

output = b""

def read_until(marker, seconds=30):
    global output
    end = time.monotonic() + seconds
    start = len(output)
    while marker not in output[start:]:
        readable, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
        if not readable:
            break
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk

def write(text):
    os.write(terminal, text.encode())

# The marker is typed in two parts: its echo is not the answer.
for index, line in enumerate([typed["setup"], *typed["lines"]]):
    write(line + "\r")
    write("echo READ''Y%d.\r" % index)
    read_until(b"READY%d." % index)
write("exit\r")
read_until(b"\0never", 5)
sys.stdout.buffer.write(output)
