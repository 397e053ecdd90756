//! Compiles the kernel programs in `bpf/` to `$OUT_DIR/watchkeeper.bpf.o`, which the loader embeds.
//!
//! In: clang, llvm-strip and libbpf's headers. Out: one relocatable (CO-RE) object for every kernel from 5.10 on.
//! Its debug sections are stripped; the type information (BTF) that relocation needs stays, but not the relocations of the
//! type information itself, which no loader reads.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// A quarter of the object: for linkers that join several objects.
const UNREAD: [&str; 2] = [".rel.BTF", ".rel.BTF.ext"];
const INSTALL: &str = "hint: apt-get install clang llvm libbpf-dev";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=bpf");
    println!("cargo::rerun-if-env-changed=CLANG");
    println!("cargo::rerun-if-env-changed=LLVM_STRIP");
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            for line in message.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out = variable("OUT_DIR")?;
    let target = match variable("CARGO_CFG_TARGET_ARCH")?.as_str() {
        "x86_64" => "-D__TARGET_ARCH_x86",
        other => {
            return Err(format!(
                "the kernel programs know no system call registers of {other:?}; x86_64 only"
            ));
        }
    };
    let object = Path::new(&out).join("watchkeeper.bpf.o");
    let clang = tool("CLANG", "clang")?;
    let strip = tool("LLVM_STRIP", "llvm-strip")?;

    let mut compile = Command::new(&clang);
    compile.args(["-O2", "-g", "-target", "bpfel", "-mcpu=v3", target]).args([
        "-Wall",
        "-Wextra",
        "-Wno-unused-parameter",
        "-Wno-unused-function",
        "-Werror",
    ]);
    // <linux/bpf.h> wants <asm/types.h>, which Debian keeps in a folder per architecture.
    for folder in asm_folders() {
        compile.arg("-idirafter").arg(folder);
    }
    compile.arg("-c").arg("bpf/watchkeeper.bpf.c").arg("-o").arg(&object);
    // Debug information must not depend on where the tree lies: equal sources give equal objects.
    compile.arg("-fdebug-compilation-dir=.");
    run(&mut compile)?;
    run(Command::new(&strip)
        .arg("-g")
        .args(UNREAD.map(|section| format!("--remove-section={section}")))
        .arg(&object))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("environment variable {name}: {error}"))
}

/// The tool that `variable` names, or the first of `name` and `name-14` … `name-21` that starts.
fn tool(variable: &str, name: &str) -> Result<String, String> {
    if let Ok(chosen) = env::var(variable) {
        return Ok(chosen);
    }
    let versions = (14..=21).map(|version| format!("{name}-{version}"));
    std::iter::once(name.to_owned())
        .chain(versions)
        .find(|candidate| {
            Command::new(candidate).arg("--version").output().is_ok_and(|run| run.status.success())
        })
        .ok_or_else(|| format!("{name} not found: it builds the kernel programs\n{INSTALL}"))
}

/// Folders below /usr/include that hold `asm/types.h`.
fn asm_folders() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/include") else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("asm/types.h").exists())
        .collect();
    folders.sort();
    folders
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name} did not start: {error}\n{INSTALL}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    let hint = if text.contains("file not found") { INSTALL } else { "" };
    Err(format!("{name} failed on the kernel programs\n{text}{hint}"))
}
