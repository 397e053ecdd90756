//! Falco-shaped JSON: what falcosidekick accepts.
//!
//! falcosidekick demands a known `priority`, a `rule`, a `time` and non-empty `output_fields` with scalar values.
//! Falco's own field names are used so that existing templates work; ours are under `watchkeeper.`.

use crate::{Host, rfc3339};
use event::alert::{Alert, Severity};
use event::{Event, Field, Value};
use serde_json::{Map, Value as Json, json};

/// Falco's name of a field and ours.
const FIELDS: &[(&str, Field)] = &[
    ("evt.type", Field::EventOperation),
    ("proc.name", Field::ProcessName),
    ("proc.cmdline", Field::CommandLine),
    ("proc.exepath", Field::Image),
    ("proc.pname", Field::ParentName),
    ("proc.pcmdline", Field::ParentCommandLine),
    ("proc.pid", Field::ProcessId),
    ("proc.ppid", Field::ParentProcessId),
    ("proc.cwd", Field::CurrentDirectory),
    ("user.uid", Field::UserId),
    ("user.loginuid", Field::LoginUserId),
    ("container.name", Field::ContainerName),
    ("container.image.repository", Field::ContainerImageName),
    ("container.image.tag", Field::ContainerImageTag),
    ("fd.rip", Field::DestinationIp),
    ("fd.rport", Field::DestinationPort),
    ("fd.lport", Field::SourcePort),
    ("fd.l4proto", Field::Protocol),
    ("fd.rip.name", Field::DestinationHostname),
];

/// The alert in Falco's shape.
pub fn alert(alert: &Alert, host: &Host) -> Json {
    let mut tags: Vec<Json> = alert.tags.iter().map(|tag| json!(tag)).collect();
    tags.extend(alert.strategy.techniques.iter().map(|technique| json!(technique.id)));
    json!({
        "uuid": alert.uid,
        "output": alert.message,
        "priority": priority(alert.severity),
        "rule": alert.rule_title,
        "time": rfc3339(alert.time),
        "source": "syscall",
        "hostname": host.hostname,
        "tags": tags,
        "output_fields": output_fields(alert),
    })
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "Error",
        Severity::Medium => "Warning",
        Severity::Low => "Notice",
        Severity::Informational => "Informational",
    }
}

fn output_fields(alert: &Alert) -> Json {
    let mut fields = Map::new();
    fields.insert("evt.time".into(), json!(alert.time.0));
    if let Some(event) = alert.evidence.last() {
        add_event(&mut fields, event);
    }
    fields.insert("watchkeeper.strategy_id".into(), json!(alert.strategy.id));
    fields.insert("watchkeeper.strategy".into(), json!(alert.strategy.slug));
    fields.insert("watchkeeper.finding_uid".into(), json!(alert.uid));
    fields.insert("watchkeeper.activity_id".into(), json!(alert.activity as u8));
    fields.insert("watchkeeper.group_key".into(), json!(alert.group_key));
    fields.insert("watchkeeper.confidence".into(), json!(alert.confidence));
    fields.insert("watchkeeper.count".into(), json!(alert.count));
    Json::Object(fields)
}

fn add_event(fields: &mut Map<String, Json>, event: &Event) {
    if let Some(id) = event.container_id() {
        fields.insert("container.id".into(), json!(id.short()));
        fields.insert("container.full_id".into(), json!(id.to_string()));
    }
    for (name, field) in FIELDS {
        let value = match field.of(event) {
            Value::Absent => continue,
            Value::Int(number) => json!(number),
            Value::Bool(flag) => json!(flag),
            other => json!(other.to_text()),
        };
        fields.insert((*name).into(), value);
    }
    let file = Field::TargetFilename.of(event);
    if !file.is_absent() {
        fields.insert("fd.name".into(), json!(file.to_text()));
    }
}
