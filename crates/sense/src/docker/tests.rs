//! The daemon's answers as we read them, a session against a daemon of our own, and one against a real one.

use super::session::{Ended, Sensor};
use super::{Config, map, run};
use event::container::{ContainerChange, ContainerVerb};
use event::{BootTime, Container, ContainerId, Event, Kind, WallTime};
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn id() -> ContainerId {
    ID.parse().unwrap()
}

fn message(kind: &str, action: &str, id: &str, attributes: &str) -> String {
    format!(
        r#"{{"Type":"{kind}","Action":"{action}","Actor":{{"ID":"{id}","Attributes":{attributes}}},"scope":"local","time":7,"timeNano":7000000001}}"#
    )
}

fn read(line: &str) -> Option<ContainerChange> {
    map::message(&serde_json::from_str(line).unwrap())
}

#[test]
fn container_messages_become_changes() {
    use ContainerVerb::*;
    let named = r#"{"image":"alpine","name":"web"}"#;
    for (action, attributes, verb, detail) in [
        ("create", named, Create, ""),
        ("start", named, Start, ""),
        ("kill", r#"{"image":"alpine","name":"web","signal":"9"}"#, Kill, "9"),
        ("exec_create: sh -c id", named, ExecCreate, "sh -c id"),
        ("exec_start: sh -c 'a: b'", named, ExecStart, "sh -c 'a: b'"),
        ("health_status: healthy", named, HealthStatus, "healthy"),
        ("archive-path", named, Copy, "archive-path"),
        ("resize", named, Other, "resize"),
    ] {
        let change = read(&message("container", action, ID, attributes)).unwrap();
        assert_eq!((change.verb, change.detail.as_str()), (verb, detail), "{action}");
        assert_eq!((change.record.id, change.record.name.as_str()), (Some(id()), "web"), "{action}");
        assert_eq!((change.record.image.as_str(), change.record.inspected), ("alpine", false), "{action}");
    }
}

#[test]
fn image_and_network_messages_become_changes() {
    let image = read(&message("image", "tag", "sha256:1", r#"{"name":"alpine:latest"}"#)).unwrap();
    assert_eq!((image.verb, image.record.id), (ContainerVerb::ImageTag, None));
    assert_eq!((image.record.image.as_str(), image.record.image_id.as_str()), ("alpine:latest", "sha256:1"));
    let pull = read(&message("image", "pull", "alpine:3", r#"{"name":"alpine"}"#)).unwrap();
    assert_eq!((pull.record.image.as_str(), pull.record.image_id.as_str()), ("alpine:3", ""));
    let attributes = format!(r#"{{"container":"{ID}","name":"bridge","type":"bridge"}}"#);
    let network = read(&message("network", "connect", "n", &attributes)).unwrap();
    assert_eq!((network.verb, network.record.id), (ContainerVerb::NetworkConnect, Some(id())));
    assert_eq!(network.detail.as_str(), "bridge");
}

#[test]
fn messages_about_other_things_are_left_out() {
    assert_eq!(read(&message("network", "create", "n", "{}")), None);
    assert_eq!(read(&message("volume", "create", "v", "{}")), None);
    assert_eq!(read(&message("container", "create", "short", "{}")), None);
    assert_eq!(read("{}"), None);
}

const INSPECT: &str = r#"{
  "Id": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "Created": "2026-01-01T00:00:00Z", "Path": "/bin/sh", "Args": ["-c", "sleep 1"],
  "State": {"Status": "running", "Running": true, "Pid": 4242},
  "Image": "sha256:1", "Name": "/web",
  "HostConfig": {
    "Privileged": true, "CapAdd": ["CAP_SYS_ADMIN", "net_raw"], "PidMode": "host", "NetworkMode": "container:peer",
    "IpcMode": "private", "UTSMode": "host", "SecurityOpt": ["seccomp=unconfined"],
    "Devices": [{"PathOnHost": "/dev/kmsg", "PathInContainer": "/dev/kmsg", "CgroupPermissions": "rwm"}],
    "PortBindings": {}, "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}
  },
  "GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": "/var/lib/docker/overlay2/x/diff"}},
  "Mounts": [{"Type": "bind", "Source": "/etc", "Destination": "/h", "Mode": "", "RW": true, "Propagation": "rprivate"}],
  "Config": {"Image": "alpine", "User": "1000", "Env": ["PATH=/bin", "SECRET=value"], "Labels": {"b": "2", "a": "1"}},
  "NetworkSettings": {
    "Ports": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "81/tcp": null},
    "Networks": {"front": {}, "back": {}}
  }
}"#;

#[test]
fn inspect_becomes_a_record() {
    let record = map::record(id(), &serde_json::from_str(INSPECT).unwrap());
    let expect = Container {
        id: Some(id()),
        name: "web".into(),
        image: "alpine".into(),
        image_id: "sha256:1".into(),
        runtime: "docker".into(),
        inspected: true,
        privileged: true,
        capabilities_added: vec!["SYS_ADMIN".into(), "NET_RAW".into()],
        host_pid: true,
        host_uts: true,
        network_of: "peer".into(),
        security_options: vec!["seccomp=unconfined".into()],
        mounts: vec![event::container::Mount {
            kind: "bind".into(),
            source: "/etc".into(),
            destination: "/h".into(),
            writable: true,
        }],
        devices: vec!["/dev/kmsg".into()],
        ports: vec!["0.0.0.0:8080->80/tcp".into()],
        env_names: vec!["PATH".into(), "SECRET".into()],
        labels: vec![("a".into(), "1".into()), ("b".into(), "2".into())],
        user: "1000".into(),
        command: vec!["/bin/sh".into(), "-c".into(), "sleep 1".into()],
        restart_policy: "always".into(),
        networks: vec!["back".into(), "front".into()],
        detached: true,
        upper_dir: "/var/lib/docker/overlay2/x/diff".into(),
        pid: 4242,
        ..Container::default()
    };
    assert_eq!(record, expect);
}

#[test]
fn a_record_beyond_the_limits_is_cut_and_says_so() {
    let labels: Vec<String> = (0..100).map(|n| format!(r#""k{n:03}":"{}""#, "ä".repeat(4_096))).collect();
    let env: Vec<String> = (0..1_000).map(|n| format!(r#""E{n}=1""#)).collect();
    let answer = format!(r#"{{"Config":{{"Labels":{{{}}},"Env":[{}]}}}}"#, labels.join(","), env.join(","));
    let record = map::record(id(), &serde_json::from_str(&answer).unwrap());
    assert!(record.truncated);
    assert_eq!((record.labels.len(), record.env_names.len()), (64, 256));
    assert!(record.labels.iter().all(|(_, value)| value.len() == 256));
    assert!(!map::record(id(), &serde_json::from_str("{}").unwrap()).truncated);
}

#[test]
fn hostile_names_are_data() {
    for name in ["new\\nline", "\\u001b[31m", "\\u0000", "", "/"] {
        let line = message("container", "create", ID, &format!(r#"{{"name":"{name}","{name}x":"v"}}"#));
        assert!(read(&line).is_some(), "{name}");
    }
}

/// A daemon of our own: answers what the sensor asks, streams what the test sends, and closes the stream when told.
struct Daemon {
    socket: PathBuf,
    stream: mpsc::Sender<Option<String>>,
    containers: std::sync::Arc<std::sync::Mutex<Vec<&'static str>>>,
}

impl Daemon {
    fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("watchkeeper-docker-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("docker.sock");
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let (stream, messages) = mpsc::channel();
        let containers = std::sync::Arc::new(std::sync::Mutex::new(vec![OTHER]));
        let shared = std::sync::Arc::clone(&containers);
        std::thread::spawn(move || {
            let messages = std::sync::Arc::new(std::sync::Mutex::new(messages));
            for connection in listener.incoming().flatten() {
                let (messages, shared) = (messages.clone(), shared.clone());
                std::thread::spawn(move || serve(connection, &messages, &shared));
            }
        });
        Self { socket, stream, containers }
    }

    fn send(&self, line: String) {
        self.stream.send(Some(line)).unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.socket.parent().unwrap());
    }
}

fn serve(
    mut connection: UnixStream,
    messages: &std::sync::Mutex<mpsc::Receiver<Option<String>>>,
    containers: &std::sync::Mutex<Vec<&str>>,
) {
    let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    let _ = lines.find(String::is_empty);
    let path = request.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
    let path = path.trim_start_matches("/v1.").trim_start_matches(|c: char| c.is_ascii_digit());
    let body = match path {
        "/version" => r#"{"ApiVersion":"1.41"}"#.to_owned(),
        "/images/json" => {
            r#"[{"Id":"sha256:1","ParentId":"","RepoTags":["alpine:latest"],"RepoDigests":null,"Created":1,"Size":1,"SharedSize":1,"Labels":null,"Containers":1}]"#
                .to_owned()
        }
        "/containers/json" => {
            let one = |id: &&str| format!(r#"{{"Id":"{id}","Names":["/n"],"Image":"alpine","ImageID":"sha256:1"}}"#);
            format!("[{}]", containers.lock().unwrap().iter().map(one).collect::<Vec<_>>().join(","))
        }
        "/events" => {
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while let Ok(Some(line)) = messages.lock().unwrap().recv() {
                let _ = write!(connection, "{:x}\r\n{line}\n\r\n", line.len() + 1);
            }
            return;
        }
        path if path.contains(ID) => INSPECT.to_owned(),
        _ => {
            let body = r#"{"message":"no such container"}"#;
            let head = "HTTP/1.1 404 Not Found\r\nContent-Length:";
            let _ = write!(connection, "{head} {}\r\nConnection: close\r\n\r\n{body}", body.len());
            return;
        }
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
    let _ = write!(connection, "{head} {}\r\nConnection: close\r\n\r\n{body}", body.len());
}

fn shown(event: &Event) -> String {
    match &event.kind {
        Kind::Container(change) => {
            let id = change.record.id.map(|id| id.short()[..2].to_owned()).unwrap_or_default();
            let error = if change.error.is_empty() { "" } else { " failed" };
            format!("{} {id}{error}", change.verb.as_str()).trim_end().to_owned()
        }
        Kind::Health(health) => format!("{} {}", health.signal, health.state.as_str()),
        kind => kind.operation().to_owned(),
    }
}

/// Runs the sensor until `each` breaks or half a minute is over, and gives back what it said.
fn follow(socket: &Path, mut each: impl FnMut(&Event, &[String]) -> ControlFlow<()>) -> Vec<String> {
    let config = Config { socket: Some(socket.into()), ..Config::default() };
    let mut said = Vec::new();
    let sink = Box::new(|event: Event| {
        said.push(shown(&event));
        each(&event, &said)
    });
    let now = || (BootTime(1), WallTime(2));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limit = Box::pin(async { tokio::time::sleep(Duration::from_secs(30)).await });
    runtime.block_on(run(config, now, sink, limit));
    said
}

#[test]
fn a_session_tells_what_is_there_and_then_what_happens() {
    let daemon = Daemon::start("session");
    daemon.send(message("container", "create", ID, r#"{"image":"alpine","name":"web"}"#));
    let said = follow(&daemon.socket, |_, said| {
        if said.iter().filter(|line| line.starts_with("inspected")).count() == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(said[..3], ["image_found", "found bb", "docker up"]);
    let place = |line: &str| said.iter().position(|said| said == line).unwrap_or_else(|| panic!("{said:?}"));
    assert!(place("create aa") < place("inspected aa"), "{said:?}");
    assert!(place("inspected bb failed") > 2, "{said:?}");
}

#[test]
fn a_lost_daemon_is_found_again_and_what_changed_meanwhile_is_told() {
    let daemon = Daemon::start("lost");
    let said = follow(&daemon.socket, |_, said| {
        let ups = said.iter().filter(|line| *line == "docker up").count();
        match said.last().map(String::as_str) {
            Some("docker up") if ups == 1 => {
                *daemon.containers.lock().unwrap() = vec![ID];
                daemon.stream.send(None).unwrap();
            }
            Some("inspected aa") => return ControlFlow::Break(()),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    let told: Vec<_> = said.iter().filter(|line| *line != "inspected bb failed").collect();
    assert_eq!(
        told,
        [
            "image_found",
            "found bb",
            "docker up",
            "docker down",
            "found aa",
            "gone bb",
            "docker up",
            "inspected aa"
        ]
    );
}

#[test]
fn an_undecodable_message_is_counted_and_passed_by() {
    let daemon = Daemon::start("undecodable");
    daemon.send(r#"{"Type":"something-new","Action":"x"}"#.to_owned());
    let said = follow(&daemon.socket, |_, said| {
        if said.iter().filter(|line| *line == "docker up").count() == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(said.iter().any(|line| line == "loss"), "{said:?}");
}

#[test]
fn no_daemon_is_said_once() {
    let config = Config { socket: Some("/nonexistent/docker.sock".into()), ..Config::default() };
    let mut said = Vec::new();
    let sink = |event: Event| {
        said.push(shown(&event));
        ControlFlow::Continue(())
    };
    let mut sensor = Sensor::new(&config, || (BootTime(1), WallTime(1)), sink);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..3 {
        let Err(Ended::Lost(reason)) = runtime.block_on(sensor.session()) else {
            panic!("no daemon is there")
        };
        assert!(reason.contains("/nonexistent/docker.sock"), "{reason}");
        assert!(sensor.down(&reason).is_continue());
    }
    drop(sensor);
    assert_eq!(said, ["docker absent"]);
}

#[test]
fn a_real_daemon_is_followed() {
    let Some(socket) =
        std::env::var("DOCKER_HOST").ok().and_then(|host| host.strip_prefix("unix://").map(PathBuf::from))
    else {
        println!("SKIPPED: DOCKER_HOST does not name a Unix socket");
        return;
    };
    let docker = |arguments: &[&str]| {
        let output =
            std::process::Command::new("docker").args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let name = format!("watchkeeper-test-{}", std::process::id());
    let mut record = Container::default();
    let said = follow(&socket, |event, said| {
        match (&event.kind, said.last().map(String::as_str)) {
            (_, Some("docker up")) => {
                docker(&["import", "/dev/null", &name]);
                docker(&["create", "--name", &name, "--cap-add", "NET_RAW", "-v", "/etc:/h:ro", &name, "/x"]);
            }
            (Kind::Container(change), _) if change.record.name == name.as_str() => match change.verb {
                ContainerVerb::Inspected => {
                    record = change.record.clone();
                    docker(&["rm", &name]);
                    docker(&["rmi", &name]);
                }
                ContainerVerb::Destroy => return ControlFlow::Break(()),
                _ => {}
            },
            (_, Some("docker down")) => return ControlFlow::Break(()),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    assert_eq!((record.image.as_str(), record.image_id.is_empty()), (name.as_str(), false), "{said:?}");
    assert_eq!(record.capabilities_added, ["NET_RAW"]);
    let mount = record.mounts.first().unwrap();
    assert_eq!((mount.source.as_str(), mount.destination.as_str(), mount.writable), ("/etc", "/h", false));
}
