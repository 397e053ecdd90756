//! Programs on their way into the kernel: verified several at once, attached one by one, and entered into the tables that
//! the dispatcher jumps through.
//!
//! In: the object's programs and maps. Out: what runs; what the kernel refuses is named with its answer, and the others go on.

use std::{
    cmp::Reverse,
    collections::HashMap,
    fs::File,
    sync::{Mutex, PoisonError},
    thread,
};

use aya::{
    Btf, Ebpf,
    maps::{MapData, ProgramArray},
    programs::{
        BtfTracePoint, CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, CgroupSock, CgroupSockAddr, Program,
        ProgramError, RawTracePoint, SockOps,
    },
};

use super::{
    Error,
    hooks::{Attach, CONTINUATIONS, DISPATCHER, Hook, ONLY_32_BIT},
    loader::{Missing, Report},
    syscalls::SYSCALLS,
    types,
};

/// Lines of the verifier's answer that a report keeps.
const VERIFIER_LINES: usize = 3;
const CAUSE_BYTES: usize = 600;
/// The tracepoint at the end of every system call. Its programs get their arguments with types, so that they read
/// registers without a helper.
pub(super) const SYS_EXIT: &str = "sys_exit";
/// Threads in which the kernel verifies programs, most of what a start takes.
const LOADING_THREADS: usize = 4;

/// Programs that the kernel did not take, by name, each with the error for people.
pub(super) type Refused = HashMap<String, String>;

/// Has the kernel verify every program, several at once, as it lets them be independent of each other. Programs of
/// cgroups only where there is a root to attach them to.
pub(super) fn load_programs(ebpf: &mut Ebpf, on_cgroups: bool, types: &Btf) -> Refused {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(LOADING_THREADS);
    let of_tracepoint = |p: &Program| matches!(p, Program::RawTracePoint(_) | Program::BtfTracePoint(_));
    let mut programs: Vec<_> = ebpf.programs_mut().filter(|(_, p)| on_cgroups || of_tracepoint(p)).collect();
    // The longest first: one that begins last would keep the others' threads waiting.
    let lengths = types::function_lengths();
    programs.sort_by_key(|(name, _)| Reverse(lengths.get(*name).copied().unwrap_or_default()));
    let queue = Mutex::new(programs.into_iter());
    let refused = Mutex::new(Refused::new());
    let work = || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((name, program)) = next else { break };
            if let Err(e) = load(program, types) {
                let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
                refused.insert(name.to_owned(), cause(&e));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    refused.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn load(program: &mut Program, types: &Btf) -> Result<(), ProgramError> {
    match program {
        Program::BtfTracePoint(p) => p.load(SYS_EXIT, types),
        Program::RawTracePoint(p) => p.load(),
        Program::CgroupSockAddr(p) => p.load(),
        Program::CgroupSock(p) => p.load(),
        Program::SockOps(p) => p.load(),
        Program::CgroupSkb(p) => p.load(),
        _ => Err(ProgramError::UnexpectedProgramType),
    }
}

/// Attaches one loaded program; the error is for people.
pub(super) fn start(
    ebpf: &mut Ebpf,
    hook: &Hook,
    refused: &Refused,
    cgroup2: Option<&File>,
) -> Result<(), String> {
    if let Some(cause) = refused.get(hook.program) {
        return Err(cause.clone());
    }
    let program = ebpf.program_mut(hook.program).ok_or("not in the object")?;
    let attached = match hook.attach {
        Attach::Tracepoint(name) => {
            <&mut RawTracePoint>::try_from(program).and_then(|p| p.attach(name).map(drop))
        }
        Attach::SystemCallEnd => <&mut BtfTracePoint>::try_from(program).and_then(|p| p.attach().map(drop)),
        on_cgroup => {
            start_on_cgroup(program, on_cgroup, cgroup2.ok_or("the unified cgroup hierarchy is not mounted")?)
        }
    };
    attached.map_err(|e| cause(&e))
}

/// Links coexist whatever the mode says; the mode that is for several is refused together with a link.
const MODE: CgroupAttachMode = CgroupAttachMode::Single;

fn start_on_cgroup(program: &mut Program, attach: Attach, root: &File) -> Result<(), ProgramError> {
    match attach {
        Attach::SocketAddress => <&mut CgroupSockAddr>::try_from(program)?.attach(root, MODE).map(drop),
        Attach::SocketMade => <&mut CgroupSock>::try_from(program)?.attach(root, MODE).map(drop),
        Attach::SocketOperation => <&mut SockOps>::try_from(program)?.attach(root, MODE).map(drop),
        Attach::Ingress | Attach::Egress | Attach::Tracepoint(_) | Attach::SystemCallEnd => {
            let direction = if attach == Attach::Ingress {
                CgroupSkbAttachType::Ingress
            } else {
                CgroupSkbAttachType::Egress
            };
            <&mut CgroupSkb>::try_from(program)?.attach(root, direction, MODE).map(drop)
        }
    }
}

/// The jump tables: the kernel empties one when its last descriptor is closed.
pub(super) type JumpTables = [ProgramArray<MapData>; 2];

/// Takes the programs that the dispatcher jumps to and enters each under its numbers, 64-bit and 32-bit.
pub(super) fn fill_jump_tables(
    ebpf: &mut Ebpf,
    report: &mut Report,
    refused: &Refused,
) -> Result<JumpTables, Error> {
    let mut tables = [jump_table(ebpf, "sysprogs")?, jump_table(ebpf, "sysprogs32")?];
    for call in SYSCALLS {
        let slots = std::iter::once((0, call.x86_64)).chain(call.i386.iter().map(|n| (1, *n)));
        enter(ebpf, report, refused, &mut tables, call.name, call.program, slots)?;
    }
    for (slot, program) in CONTINUATIONS {
        enter(ebpf, report, refused, &mut tables, program, program, [(0, slot), (1, slot)].into_iter())?;
    }
    for (slot, name, program) in ONLY_32_BIT {
        enter(ebpf, report, refused, &mut tables, name, program, std::iter::once((1, slot)))?;
    }
    Ok(tables)
}

/// Enters `program` into `slots` (table, index). One that the kernel refused is reported, once.
fn enter(
    ebpf: &mut Ebpf,
    report: &mut Report,
    refused: &Refused,
    tables: &mut JumpTables,
    name: &'static str,
    program: &'static str,
    slots: impl Iterator<Item = (usize, u32)>,
) -> Result<(), Error> {
    if report.missing.iter().any(|m| m.program == program) {
        return Ok(());
    }
    if !report.attached.contains(&program) {
        let signals = DISPATCHER.signals;
        if let Some(cause) = refused.get(program).cloned() {
            report.missing.push(Missing { program, unseen: name, signals, cause });
            return Ok(());
        }
        report.attached.push(program);
    }
    let Some(Ok(loaded)) = ebpf.program(program).map(<&BtfTracePoint>::try_from) else { return Ok(()) };
    let refused = |e: &dyn std::fmt::Display| Error::Map { map: "sysprogs", cause: format!("{name}: {e}") };
    let fd = loaded.fd().map_err(|e| refused(&e))?;
    for (table, slot) in slots {
        if let Some(table) = tables.get_mut(table) {
            table.set(slot, fd, 0).map_err(|e| refused(&e))?;
        }
    }
    Ok(())
}

fn jump_table(ebpf: &mut Ebpf, map: &'static str) -> Result<ProgramArray<MapData>, Error> {
    let taken = ebpf.take_map(map).ok_or(Error::Map { map, cause: "not in the object".into() })?;
    ProgramArray::try_from(taken).map_err(|e| Error::Map { map, cause: e.to_string() })
}

/// The kernel's answer in one line: the error, and the end of what the verifier said.
fn cause(error: &ProgramError) -> String {
    let ProgramError::LoadError { io_error, verifier_log } = error else {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(e) = source {
            text = format!("{text}: {e}");
            source = e.source();
        }
        return text;
    };
    let log = verifier_log.to_string();
    let lines: Vec<&str> = log
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with("processed ") && !l.starts_with("verification time"))
        .collect();
    let tail = lines.get(lines.len().saturating_sub(VERIFIER_LINES)..).unwrap_or_default().join(" | ");
    let cut = tail.len().saturating_sub(CAUSE_BYTES);
    let tail = (cut..tail.len()).find_map(|at| tail.get(at..)).unwrap_or_default();
    format!("{io_error}; the verifier says: {tail}")
}
