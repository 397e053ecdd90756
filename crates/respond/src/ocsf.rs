//! OCSF 1.8 Detection Finding (class 2004).
//!
//! Source: the OCSF 1.8.0 schema. Text is given as it is: JSON escapes it, and whoever shows it must escape it again.

use crate::Host;
use event::alert::{Activity, Alert, Technique};
use event::log::LogRecord;
use event::network::{Endpoints, Flow};
use event::process::Ancestor;
use event::{Container, Event, FileChange, Kind, Process, Value};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

const CLASS: u32 = 2004;
const STATUS_NEW: u8 = 1;
const STATUS_IN_PROGRESS: u8 = 2;
const STATUS_RESOLVED: u8 = 4;
const ANALYTIC_RULE: u8 = 1;
const SCHEMA_VERSION: &str = "1.8.0";

/// The alert as a Detection Finding.
pub fn finding(alert: &Alert, host: &Host) -> Json {
    let activity = alert.activity as u32;
    let mut finding = json!({
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "activity_id": activity,
        "type_uid": CLASS * 100 + activity,
        "time": alert.time.as_millis(),
        "severity_id": alert.severity.ocsf_id(),
        "severity": capitalized(alert.severity.as_str()),
        "status_id": status(alert.activity),
        "is_alert": true,
        "confidence_score": alert.confidence,
        "message": alert.message,
        "count": alert.count,
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": { "name": "Watchkeeper", "vendor_name": "Watchkeeper", "version": host.version },
            "profiles": ["container", "host"],
        },
        "device": { "hostname": host.hostname, "type_id": 0 },
        "finding_info": finding_info(alert),
        "attacks": alert.strategy.techniques.iter().map(|t| attack(t, alert)).collect::<Vec<_>>(),
        "evidences": alert.evidence.iter().map(|event| evidence(event)).collect::<Vec<_>>(),
        "unmapped": unmapped(alert),
    });
    if let Some(object) = finding.as_object_mut() {
        if let Some(container) = container_of(alert) {
            object.insert("container".into(), container_json(alert, container.as_deref()));
            object.insert("resources".into(), json!([resource(alert, container.as_deref())]));
        } else if let Some(address) = workload(alert) {
            object
                .insert("resources".into(), json!([{ "type": "address", "uid": address, "name": address }]));
        }
    }
    finding
}

fn finding_info(alert: &Alert) -> Json {
    json!({
        "uid": alert.uid,
        "title": alert.rule_title,
        "analytic": {
            "uid": alert.strategy.id,
            "name": alert.strategy.title,
            "version": alert.strategy.version,
            "type_id": ANALYTIC_RULE,
            "type": "Rule",
            "related_analytics": [{ "uid": alert.rule_id, "name": alert.rule_title, "type_id": ANALYTIC_RULE }],
        },
        "first_seen_time": alert.first.as_millis(),
        "last_seen_time": alert.last.as_millis(),
        "related_events_count": alert.count,
    })
}

fn attack(technique: &Technique, alert: &Alert) -> Json {
    let mut attack = json!({
        "version": alert.strategy.attack_version,
        "tactic": { "uid": technique.tactic_id, "name": technique.tactic },
    });
    let parent = technique.id.split('.').next().unwrap_or(&technique.id);
    let (name, sub_name) = match technique.name.split_once(": ") {
        Some((name, sub)) => (name, sub),
        None => (technique.name.as_str(), technique.name.as_str()),
    };
    attack["technique"] = json!({ "uid": parent, "name": name });
    if parent != technique.id {
        attack["sub_technique"] = json!({ "uid": technique.id, "name": sub_name });
    }
    attack
}

fn unmapped(alert: &Alert) -> Json {
    let mut unmapped = json!({
        "health": alert.health,
        "rule": { "id": alert.rule_id, "tags": alert.tags },
        "group_key": alert.group_key,
        "first_event": { "sensor": alert.first_event.sensor.as_str(), "sequence": alert.first_event.sequence },
        "first_response": alert.strategy.first_response,
    });
    if let Some(reason) = &alert.ended_because {
        unmapped["ended_because"] = json!(reason);
    }
    unmapped
}

fn status(activity: Activity) -> u8 {
    match activity {
        Activity::Create => STATUS_NEW,
        Activity::Update => STATUS_IN_PROGRESS,
        Activity::Close => STATUS_RESOLVED,
    }
}

/// `Some(None)`: the container's id is known, its record is not.
fn container_of(alert: &Alert) -> Option<Option<Arc<Container>>> {
    let event = alert.evidence.iter().find(|event| event.container_id().is_some())?;
    Some(event.context.container.clone())
}

/// The workload of sources that know no containers.
fn workload(alert: &Alert) -> Option<String> {
    let of = |event: &Arc<Event>| event::Field::WorkloadId.of(event).to_text();
    alert.evidence.iter().map(of).find(|workload| !workload.is_empty()).map(Into::into)
}

fn container_uid(alert: &Alert) -> String {
    alert.evidence.iter().find_map(|event| event.container_id()).map(ToString::to_string).unwrap_or_default()
}

fn container_json(alert: &Alert, record: Option<&Container>) -> Json {
    let mut container = json!({ "uid": container_uid(alert) });
    if let Some(record) = record {
        container["name"] = json!(record.name);
        container["runtime"] = json!(record.runtime);
        container["image"] = json!({
            "name": record.image_name(),
            "tag": record.image_tag(),
            "uid": record.image_id,
        });
    }
    container
}

fn resource(alert: &Alert, record: Option<&Container>) -> Json {
    json!({
        "type": "container",
        "uid": container_uid(alert),
        "name": record.map(|record| record.name.as_str()).unwrap_or_default(),
    })
}

/// One event as OCSF evidence: who, and what it touched.
fn evidence(event: &Event) -> Json {
    let mut evidence = Map::new();
    if let Some(process) = process(event) {
        evidence.insert("process".into(), process);
    }
    match event.seen() {
        Kind::Connection(connection) => connection_evidence(&mut evidence, event, &connection.ends),
        Kind::Payload(payload) => connection_evidence(&mut evidence, event, &payload.ends),
        Kind::Dns(dns) => {
            connection_evidence(&mut evidence, event, &dns.ends);
            evidence.insert(
                "query".into(),
                json!({ "hostname": dns.query, "type": dns.record_type, "packet_uid": dns.id }),
            );
        }
        Kind::Flow(flow) => {
            connection_evidence(&mut evidence, event, &flow.ends);
            add_flow(&mut evidence, flow);
        }
        Kind::Http(http) => {
            connection_evidence(&mut evidence, event, &http.ends);
            evidence.insert("url".into(), json!({ "hostname": http.host.as_str(), "path": http.path() }));
        }
        Kind::File(file) => {
            evidence.insert(
                "file".into(),
                json!({ "path": file.path.as_str(), "name": file.path.base_name(), "type_id": 1 }),
            );
        }
        Kind::FileChange(change) => {
            evidence.insert("file".into(), changed_file(change));
        }
        Kind::Api(api) => {
            evidence
                .insert("api".into(), json!({ "operation": api.verb, "service": { "name": api.service } }));
        }
        Kind::Log(record) => log_evidence(&mut evidence, record),
        _ => {}
    }
    evidence.insert("data".into(), data(event));
    Json::Object(evidence)
}

/// Who a line of a log tells of, and from where.
fn log_evidence(evidence: &mut Map<String, Json>, record: &LogRecord) {
    if !record.user.is_empty() {
        evidence.insert("user".into(), json!({ "name": record.user.as_str() }));
    }
    if !record.source.is_empty() {
        let member = if record.source.parse::<std::net::IpAddr>().is_ok() { "ip" } else { "hostname" };
        evidence.insert("src_endpoint".into(), json!({ member: record.source }));
    }
}

/// A watched file as it is now. OCSF has no number for BLAKE3 and says "other" (99) for it.
fn changed_file(change: &FileChange) -> Json {
    let mut file = json!({ "path": change.path.as_str(), "name": change.path.base_name(), "type_id": 1 });
    if let Some(after) = change.after.as_ref().filter(|after| !after.blake3.is_empty()) {
        file["hashes"] =
            json!([{ "algorithm": "BLAKE3", "algorithm_id": 99, "value": after.blake3.as_str() }]);
    }
    file
}

/// What OCSF has no place for: the operation, the provenance and the facts.
fn data(event: &Event) -> Json {
    let facts: Map<String, Json> = event
        .facts
        .iter()
        .map(|fact| {
            let name = serde_json::to_value(fact.name).ok().and_then(|name| name.as_str().map(str::to_owned));
            (name.unwrap_or_default(), json!(fact.value))
        })
        .collect();
    let mut data = json!({
        "event": { "sensor": event.id.sensor.as_str(), "sequence": event.id.sequence },
        "class": event.class().as_str(),
        "operation": event.kind.operation(),
        "time": event.wall.as_millis(),
    });
    if !facts.is_empty() {
        data["facts"] = Json::Object(facts);
    }
    if let Some(path) = &event.context.host_path {
        data["host_path"] = json!(path);
    }
    if let Kind::Log(record) = event.seen() {
        data["log"] = json!({
            "name": record.log, "program": record.program, "record": record.record, "message": record.message.as_str(),
        });
    }
    if let Kind::FileChange(change) = &event.kind {
        data["change"] = json!(change);
    }
    data
}

fn process(event: &Event) -> Option<Json> {
    let actor = event.actor.as_ref()?;
    let mut json = json!({
        "pid": actor.pid,
        "uid": format!("{}-{}", actor.pid, actor.start.0),
        "name": event::Field::ProcessName.of(event).to_text(),
        "file": { "path": event::Field::Image.of(event).to_text(), "type_id": 1,
            "name": event::Field::ProcessName.of(event).to_text() },
        "cmd_line": event::Field::CommandLine.of(event).to_text(),
        "user": { "uid": actor.uid.to_string() },
        "euid": actor.euid,
        "namespace_pid": actor.vpid,
    });
    if let Value::Str(directory) = event::Field::CurrentDirectory.of(event) {
        json["working_directory"] = json!(directory);
    }
    if let Some(process) = &event.context.process {
        add_ancestry(&mut json, process);
    }
    Some(json)
}

fn add_ancestry(json: &mut Json, process: &Process) {
    json["ancestry"] = process.ancestors.iter().map(|a| ancestor(a)).collect::<Vec<_>>().into();
    if let Some(parent) = process.ancestors.first() {
        json["parent_process"] = ancestor(parent);
    }
    if let Some(hash) = &process.sha256 {
        json["file"]["hashes"] = json!([{ "algorithm_id": 3, "algorithm": "SHA-256", "value": hash }]);
    }
}

fn ancestor(ancestor: &Ancestor) -> Json {
    json!({
        "pid": ancestor.key.pid,
        "name": ancestor.path.base_name(),
        "file": { "path": ancestor.path.as_str(), "type_id": 1, "name": ancestor.path.base_name() },
        "cmd_line": ancestor.command_line,
    })
}

fn connection_evidence(evidence: &mut Map<String, Json>, event: &Event, ends: &Endpoints) {
    let mut destination = json!({ "ip": ends.remote_ip.to_string(), "port": ends.remote_port });
    if let Some(name) = &event.context.remote_name {
        destination["hostname"] = json!(name);
    }
    evidence.insert("dst_endpoint".into(), destination);
    evidence
        .insert("src_endpoint".into(), json!({ "ip": ends.local_ip.to_string(), "port": ends.local_port }));
    let mut info = json!({ "protocol_name": ends.transport.as_str(), "direction_id": 2 });
    if let Value::Str(protocol) = event::Field::FactProtocol.of(event) {
        info["protocol_app"] = json!(protocol);
    }
    evidence.insert("connection_info".into(), info);
}

/// What OCSF has a place for of a flow: volume, protocol and the names of its TLS.
fn add_flow(evidence: &mut Map<String, Json>, flow: &Flow) {
    if let Some(info) = evidence.get_mut("connection_info").filter(|_| !flow.protocol.is_empty()) {
        info["protocol_app"] = json!(flow.protocol);
    }
    if let Some(info) = evidence.get_mut("connection_info").filter(|_| !flow.initiated) {
        info["direction_id"] = json!(1);
    }
    if let Some(destination) = evidence.get_mut("dst_endpoint").filter(|_| !flow.names.dns.is_empty()) {
        destination["hostname"] = json!(flow.names.dns);
    }
    let names = [("sni", &flow.names.sni), ("ja4", &flow.names.ja4)];
    let tls: Map<String, Json> = names
        .into_iter()
        .filter(|(_, name)| !name.is_empty())
        .map(|(key, name)| (key.to_owned(), json!(name)))
        .collect();
    if !tls.is_empty() {
        evidence.insert("tls".into(), Json::Object(tls));
    }
    evidence.insert(
        "traffic".into(),
        json!({
            "bytes_out": flow.sent.payload_bytes, "bytes_in": flow.received.payload_bytes,
            "packets_out": flow.sent.packets, "packets_in": flow.received.packets,
        }),
    );
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
