//! The command `watchkeeper`: one match over what it can do.

mod cli;
mod config;
mod content;
mod doctor;
mod exceptions;
mod failure;
mod files;
mod flows;
mod integrity;
mod intel;
mod live;
mod matching;
mod pipeline;
mod recording;
mod replay;
mod strategies;
mod table;

use clap::Parser;
use cli::{Cli, Command, Role};
use failure::{Exit, Failure};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) => run(cli.command),
        Err(error) => return usage(&error),
    };
    let code = match exit {
        Ok(exit) => exit,
        Err(failure) => {
            if !failure.message.is_empty() {
                // Standard error may be closed; the exit code says it then.
                let _ = writeln!(std::io::stderr(), "{failure}");
            }
            failure.exit
        }
    };
    ExitCode::from(code as u8)
}

fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Watch(args) => live::watch(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Flows(args) => flows::run(&args),
        Command::Strategy(command) => strategies::run(&command),
        Command::Match(args) => matching::run(&args),
        Command::Exceptions(command) => exceptions::run(&command),
        Command::Files(command) => integrity::run(&command),
        Command::Doctor(args) => doctor::run(&args),
        Command::Process { role: Role::Engine } => live::engine::run(),
        Command::Process { role: Role::Actor } => live::actor::run(),
        Command::Process { role: Role::SandboxProbe } => {
            live::sandbox::probe();
            Ok(Exit::Fine)
        }
    }
}

/// Help goes to standard output and is fine; anything else is bad usage.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed output is nobody's problem here.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { Exit::Usage as u8 } else { Exit::Fine as u8 })
}
