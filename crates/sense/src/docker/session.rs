//! One connection to the daemon: what is there, then what happens.

use super::{Config, map};
use bollard::errors::Error as DockerError;
use bollard::models::{ContainerInspectResponse, EventMessage};
use bollard::query_parameters::{
    EventsOptions, EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    ListImagesOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use event::container::{Container, ContainerChange, ContainerVerb};
use event::health::{Health, Loss, LossAt, SensorState};
use event::{BootTime, ContainerId, Event, Kind, Sensor as Source, Text, WallTime};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::Duration;

/// Containers that may wait for their inspect. Beyond it they are counted as loss.
const MAX_WAITING: usize = 4_096;

/// Containers of the daemon that are followed from one connection to the next.
const MAX_CONTAINERS: usize = 65_536;

/// Images that are told at start.
const MAX_IMAGES: usize = 65_536;

/// Why a session is over.
#[derive(Debug)]
pub(super) enum Ended {
    /// The reader does not want more.
    Stopped,
    /// The daemon does not answer, or not as expected.
    Lost(String),
}

impl From<DockerError> for Ended {
    fn from(error: DockerError) -> Self {
        Ended::Lost(format!("the Docker daemon failed to answer: {error}"))
    }
}

/// An answer to a request that ran beside the stream.
enum Answer {
    Inspect(ContainerId, Result<Box<ContainerInspectResponse>, String>),
    Ping(Result<(), String>),
}

/// The sensor's state from one connection to the next.
pub(super) struct Sensor<'a, N, S> {
    config: &'a Config,
    now: N,
    sink: S,
    /// Containers that exist as far as is known.
    known: BTreeSet<ContainerId>,
    /// Nanoseconds since 1970 of the daemon's last event, where there was one.
    last: Option<i64>,
    images_told: bool,
    up: bool,
    /// Whether it has been up since the sensor started.
    ever_up: bool,
    /// `down` was said since the last `up`, or since the start.
    down_told: bool,
}

impl<'a, N, S> Sensor<'a, N, S>
where
    N: Fn() -> (BootTime, WallTime),
    S: FnMut(Event) -> ControlFlow<()>,
{
    pub(super) fn new(config: &'a Config, now: N, sink: S) -> Self {
        Self {
            config,
            now,
            sink,
            known: BTreeSet::new(),
            last: None,
            images_told: false,
            up: false,
            down_told: false,
            ever_up: false,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.up
    }

    /// Says once that the daemon cannot be followed.
    pub(super) fn down(&mut self, reason: &str) -> ControlFlow<()> {
        self.up = false;
        if std::mem::replace(&mut self.down_told, true) {
            return ControlFlow::Continue(());
        }
        let state = if self.ever_up { SensorState::Down } else { SensorState::Absent };
        self.health(state, &format!("{reason}; containers get no names and no facts"))
    }

    /// Connects, tells what is there, and follows what happens. Never ends well.
    pub(super) async fn session(&mut self) -> Result<Infallible, Ended> {
        let docker = self.connect().await?;
        // Events from here on are replayed by the daemon, so nothing happens unseen between list and stream.
        let since = self.last.map_or_else(|| i64::try_from((self.now)().1.0).unwrap_or(i64::MAX), |t| t + 1);
        let mut waiting = VecDeque::new();
        self.images(&docker).await?;
        self.reconcile(&docker, &mut waiting).await?;
        self.up = true;
        self.ever_up = true;
        self.down_told = false;
        stopped(self.health(SensorState::Up, ""))?;
        self.follow(&docker, since, waiting).await
    }

    async fn connect(&self) -> Result<Docker, Ended> {
        let socket = self.config.socket();
        let path = socket.to_string_lossy();
        let seconds = self.config.timeout.as_secs().max(1);
        let docker = Docker::connect_with_unix(&path, seconds, API_DEFAULT_VERSION)
            .map_err(|error| Ended::Lost(format!("cannot connect to {path}: {error}")))?;
        match tokio::time::timeout(self.config.timeout, docker.negotiate_version()).await {
            Ok(Ok(docker)) => Ok(docker),
            Ok(Err(error)) => Err(Ended::Lost(format!("cannot connect to {path}: {error}"))),
            Err(_) => Err(Ended::Lost(format!("{path} does not answer"))),
        }
    }

    /// Tells the images that are there, at the first connection only: later ones are news.
    async fn images(&mut self, docker: &Docker) -> Result<(), Ended> {
        if self.images_told {
            return Ok(());
        }
        let list = docker.list_images(None::<ListImagesOptions>);
        let images = in_time(self.config.timeout, "the list of images", list).await?;
        for image in images.iter().take(MAX_IMAGES) {
            for change in map::found_images(image) {
                stopped(self.change(change))?;
            }
        }
        if images.len() > MAX_IMAGES {
            stopped(self.loss(images.len() - MAX_IMAGES, "images that were there at start"))?;
        }
        self.images_told = true;
        Ok(())
    }

    /// Tells which containers are there that were not known, and which are not there any more.
    async fn reconcile(&mut self, docker: &Docker, waiting: &mut VecDeque<ContainerId>) -> Result<(), Ended> {
        let options = ListContainersOptionsBuilder::new().all(true).build();
        let list = docker.list_containers(Some(options));
        let list = in_time(self.config.timeout, "the list of containers", list).await?;
        let mut there = BTreeSet::new();
        for record in list.iter().filter_map(map::found_container) {
            let Some(id) = record.id else { continue };
            there.insert(id);
            if self.known.contains(&id) {
                continue;
            }
            let verb = ContainerVerb::Found;
            stopped(self.change(ContainerChange { verb, record, ..ContainerChange::default() }))?;
            stopped(self.ask(id, waiting))?;
        }
        let before = std::mem::take(&mut self.known);
        for id in before.difference(&there) {
            let record = Container { id: Some(*id), runtime: map::RUNTIME, ..Container::default() };
            let verb = ContainerVerb::Gone;
            stopped(self.change(ContainerChange { verb, record, ..ContainerChange::default() }))?;
        }
        self.known = there;
        Ok(())
    }

    async fn follow(
        &mut self,
        docker: &Docker,
        since: i64,
        mut waiting: VecDeque<ContainerId>,
    ) -> Result<Infallible, Ended> {
        let mut stream = std::pin::pin!(docker.events(Some(options(since))));
        let mut answers: FuturesUnordered<BoxFuture<'_, Answer>> = FuturesUnordered::new();
        let mut ping = tokio::time::interval_at(
            tokio::time::Instant::now() + self.config.ping,
            self.config.ping.max(Duration::from_millis(1)),
        );
        let mut inspects = 0;
        loop {
            while inspects < self.config.inspects.max(1)
                && let Some(id) = waiting.pop_front()
            {
                inspects += 1;
                answers.push(Box::pin(inspect(docker, id, self.config.timeout)));
            }
            tokio::select! {
                biased;
                message = stream.next() => match message {
                    Some(Ok(message)) => self.message(&message, &mut waiting)?,
                    Some(Err(error)) => return Err(self.undecodable(&error)),
                    None => return Err(Ended::Lost("the Docker daemon closed its event stream".to_owned())),
                },
                Some(answer) = answers.next() => match answer {
                    Answer::Inspect(id, result) => {
                        inspects -= 1;
                        stopped(self.change(map::inspected(id, result)))?;
                    }
                    Answer::Ping(result) => result.map_err(Ended::Lost)?,
                },
                _ = ping.tick() => answers.push(Box::pin(still_there(docker, self.config.timeout))),
            }
        }
    }

    /// One message of the event stream. What the facts depend on is asked for again.
    fn message(&mut self, message: &EventMessage, waiting: &mut VecDeque<ContainerId>) -> Result<(), Ended> {
        if let Some(time) = message.time_nano {
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
        let Some(change) = map::message(message) else { return Ok(()) };
        let (verb, id) = (change.verb, change.record.id);
        stopped(self.change(change))?;
        let Some(id) = id else { return Ok(()) };
        use ContainerVerb::{Create, Destroy, NetworkConnect, Rename, Start, Update};
        match verb {
            Destroy => {
                self.known.remove(&id);
                waiting.retain(|waits| *waits != id);
            }
            Create | Start | Rename | Update | NetworkConnect => {
                if self.known.len() < MAX_CONTAINERS {
                    self.known.insert(id);
                }
                stopped(self.ask(id, waiting))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A message that cannot be decoded would come again with the next connection, so the next one begins after it;
    /// what is missed that way is found by listing.
    fn undecodable(&mut self, error: &DockerError) -> Ended {
        if matches!(error, DockerError::JsonDataError { .. } | DockerError::JsonSerdeError { .. }) {
            self.last = i64::try_from((self.now)().1.0).ok();
            if self.loss(1, "message of the Docker event stream that cannot be decoded").is_break() {
                return Ended::Stopped;
            }
        }
        Ended::Lost(format!("the Docker event stream failed: {error}"))
    }

    fn ask(&mut self, id: ContainerId, waiting: &mut VecDeque<ContainerId>) -> ControlFlow<()> {
        if waiting.contains(&id) {
            return ControlFlow::Continue(());
        }
        if waiting.len() >= MAX_WAITING {
            return self.loss(1, "container whose facts were not asked for, because too many were waiting");
        }
        waiting.push_back(id);
        ControlFlow::Continue(())
    }

    fn health(&mut self, state: SensorState, reason: &str) -> ControlFlow<()> {
        let reason = Text::resolved(reason);
        self.emit(Kind::Health(Box::new(Health { signal: "docker".into(), state, reason })))
    }

    fn loss(&mut self, count: usize, detail: &str) -> ControlFlow<()> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let detail = Text::resolved(detail);
        self.emit(Kind::Loss(Box::new(Loss { at: LossAt::Runtime, count, detail })))
    }

    fn change(&mut self, change: ContainerChange) -> ControlFlow<()> {
        self.emit(Kind::Container(Box::new(change)))
    }

    fn emit(&mut self, kind: Kind) -> ControlFlow<()> {
        let (boot, wall) = (self.now)();
        (self.sink)(Event { wall, ..Event::new(Source::Docker, boot, kind) })
    }
}

fn stopped(flow: ControlFlow<()>) -> Result<(), Ended> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Ended::Stopped),
    }
}

/// Only kinds of objects that are read are asked for.
fn options(since: i64) -> EventsOptions {
    let since = format!("{}.{:09}", since / 1_000_000_000, since % 1_000_000_000);
    let kinds = HashMap::from([("type", vec!["container", "image", "network"])]);
    EventsOptionsBuilder::new().since(&since).filters(&kinds).build()
}

async fn in_time<T>(
    timeout: Duration,
    what: &str,
    answer: impl Future<Output = Result<T, DockerError>>,
) -> Result<T, Ended> {
    match tokio::time::timeout(timeout, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Ended::Lost(format!("the Docker daemon did not give {what} in {timeout:?}"))),
    }
}

async fn inspect(docker: &Docker, id: ContainerId, timeout: Duration) -> Answer {
    let text = id.to_string();
    let answer = docker.inspect_container(&text, None::<InspectContainerOptions>);
    Answer::Inspect(
        id,
        match tokio::time::timeout(timeout, answer).await {
            Ok(Ok(answer)) => Ok(Box::new(answer)),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer in {timeout:?}")),
        },
    )
}

async fn still_there(docker: &Docker, timeout: Duration) -> Answer {
    Answer::Ping(match tokio::time::timeout(timeout, docker.ping()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("the Docker daemon failed to answer: {error}")),
        Err(_) => Err(format!("the Docker daemon did not answer in {timeout:?}")),
    })
}
