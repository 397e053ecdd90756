# Words in which expected.tsv speaks of a recorded event.
def text: if type == "object" then .text else . end;
def list: if type == "object" then .args else . // [] end;
def kind: .kind | if type == "object" then keys[0] else . end;
def k: .kind | if type == "object" then .[keys[0]] else {} end;
def is($name): kind == $name;
def exec: is("exec");
def arg($word): is("exec") and (k.argv | list | any(. == $word));
def owner: .owner // "host" | if type == "object" then (.container // "unknown") else . end;
def of($id): owner == $id;
def file($op): is("file") and k.op == $op;
def file($a; $b): file($a) or file($b);
def path($path): (k.path | text) == $path or (k.target // "" | text) == $path;
# Where a file operation acted: a symbolic link is at its target, its path is the text that it holds.
def place: if file("symlink") then k.target else k.path end | text;
def syscall($name): is("syscall") and k.name == $name;
def connection($op): is("connection") and k.op == $op;
def connection($a; $b): connection($a) or connection($b);
# Acts in a pid namespace other than the first, whose inode is the kernel's PROC_PID_INIT_INO.
def nested: .actor.pid_ns != null and .actor.pid_ns != 4026531836;
