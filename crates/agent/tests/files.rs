//! `files scan|diff` from outside.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Folder, Outcome, refused, run};
use std::ffi::OsStr;
use std::fs;

type Argument<'a> = &'a dyn AsRef<OsStr>;

fn run_all(parts: &[&[Argument<'_>]]) -> Outcome {
    run(&parts.concat())
}

#[test]
fn a_scan_is_the_same_each_time_and_a_diff_names_what_differs() {
    let folder = Folder::new("files");
    let tree = folder.0.join("tree");
    fs::create_dir_all(tree.join("etc/cron.d")).unwrap();
    fs::write(tree.join("etc/passwd"), "root:x:0:0\n").unwrap();
    fs::write(tree.join("etc/cron.d/job"), "x\n").unwrap();
    fs::write(tree.join("etc/other"), "x\n").unwrap();
    let which: [Argument<'_>; 6] =
        [&"--root", &tree, &"--path", &"/etc/passwd", &"--path", &"/etc/cron.d/**"];
    let scan = |more: &[Argument<'_>]| run_all(&[&[&"files", &"scan"], &which, more]);
    let (one, two) = (scan(&[&"--threads", &"1"]), scan(&[&"--threads", &"4"]));
    assert_eq!((one.code, one.out.lines().count()), (0, 2), "{}", one.err);
    assert_eq!(one.out, two.out);

    let baseline = folder.0.join("baseline.ndjson");
    assert_eq!(scan(&[&"--output", &baseline]).code, 0);
    let diff = |more: &[Argument<'_>]| run_all(&[&[&"files", &"diff", &baseline], &which, more]);
    assert_eq!((diff(&[]).code, diff(&[]).out.as_str()), (0, ""));
    fs::write(tree.join("etc/passwd"), "evil:x:0:0\n").unwrap();
    fs::remove_file(tree.join("etc/cron.d/job")).unwrap();
    fs::write(tree.join("etc/cron.d/\u{1b}[2J"), "x\n").unwrap();
    let found = diff(&[]);
    assert_eq!(found.code, 1);
    let lines: Vec<&str> = found.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", found.out);
    assert!(lines[0].starts_with("/etc/cron.d/") && !lines[0].contains('\u{1b}'), "{}", found.out);
    assert_eq!(lines[1..], ["/etc/cron.d/job: deleted", "/etc/passwd: content"]);
    let json = diff(&[&"--format", &"json"]);
    let last: serde_json::Value = serde_json::from_str(json.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["what"][0], "content");
    assert_ne!(last["before"]["blake3"], last["after"]["blake3"]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = Folder::new("files-refused");
    let nonsense = folder.file("baseline", "nonsense\n");
    refused(&run(&[&"files", &"diff", &nonsense, &"--path", &"/etc/passwd"]), 2, "line 1 of the baseline");
    refused(
        &run(&[&"files", &"diff", &folder.0.join("absent"), &"--path", &"/x"]),
        2,
        "cannot read the baseline",
    );
    refused(
        &run(&[&"files", &"scan", &"--path", &"/x", &"--root", &folder.0.join("absent")]),
        3,
        "cannot open the root",
    );
    let relative = run(&[&"files", &"scan", &"--path", &"etc/x"]);
    assert!(relative.code == 2 && relative.err.contains("not an absolute path"), "{}", relative.err);
}
