use super::*;
use event::network::{ConnectionOp, Flow};

const CONN: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n\
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n\
#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tcount\tcount\tcount\tcount\n\
1000.5\tC1\t172.17.0.2\t40000\t198.51.100.9\t4444\ttcp\tssl\t2.25\t517\t1400\tSF\t6\t800\t5\t1700\n\
1001\tC2\t203.0.113.5\t1433\t10.0.0.5\t22\ttcp\t-\t0.000059\t0\t0\tREJ\t1\t60\t1\t40\n";
const SSL: &str = r#"{"ts":1000.75,"uid":"C1","id.orig_h":"172.17.0.2","id.orig_p":40000,"id.resp_h":"198.51.100.9","id.resp_p":4444,"version":"TLSv12","cipher":"x","server_name":"c2.test","issuer":"CN=c2"}"#;
const DNS: &str = r#"{"_path":"dns","ts":"1970-01-01T00:16:40.25Z","uid":"C3","id.orig_h":"172.17.0.2","id.orig_p":5000,"id.resp_h":"10.0.0.2","id.resp_p":53,"proto":"udp","trans_id":7,"rtt":0.1,"query":"c2.test","qtype_name":"A","rcode":0,"answers":["198.51.100.9"]}"#;
const HTTP: &str = "#separator \\x09\n#path\thttp\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tmethod\thost\turi\tuser_agent\tstatus_code\tresp_mime_types\n\
1002.0\tC4\t172.17.0.2\t40001\t198.51.100.9\t80\tGET\tc2.test\t/a\\x09b?c=d\tcurl/8\t404\ttext/html,text/plain\n";

fn logs(texts: &[&str]) -> Logs {
    let source = |text: &&str| -> (String, Box<dyn BufRead>, Option<Log>) {
        ("log".into(), Box::new(io::Cursor::new(text.to_string())), None)
    };
    Logs::new(texts.iter().map(source).collect())
}

fn events(texts: &[&str]) -> Vec<Event> {
    let mut logs = logs(texts);
    let all = std::iter::from_fn(|| logs.next_event().unwrap());
    all.filter(|event| !matches!(event.kind, Kind::Tick)).collect()
}

fn told(events: &[Event]) -> Vec<String> {
    let told = |event: &Event| {
        format!("{} {} {}", event.boot.0 / 1_000_000, event.class().as_str(), event.kind.operation())
    };
    events.iter().map(told).collect()
}

#[test]
fn the_log_is_recognised_by_its_head_or_its_members() {
    for (start, log) in [
        (CONN, Some(Log::Conn)),
        (HTTP, Some(Log::Http)),
        (SSL, Some(Log::Ssl)),
        (DNS, Some(Log::Dns)),
        ("#separator \\x09\n#path\tweird\n", None),
        ("{\"ts\":1,\"uid\":\"C\"}", None),
        ("{\"_path\":\"files\"}", None),
        ("no log", None),
        ("", None),
    ] {
        assert_eq!(recognise(start), log, "{start}");
    }
}

#[test]
fn logs_of_one_sensor_are_joined_and_put_in_order() {
    let events = events(&[CONN, SSL, DNS]);
    let expect = [
        "1000250 dns_query query",
        "1000350 dns_query response",
        "1000500 network_connection connect",
        "1000500 network_connection connected",
        "1000750 network_flow begin",
        "1001000 network_flow end",
        "1002750 network_connection close",
        "1002750 network_flow end",
    ];
    assert_eq!(told(&events), expect);
    let ended =
        |event: &Event| if let Kind::Flow(flow) = &event.kind { Some((**flow).clone()) } else { None };
    let flows: Vec<Flow> = events.iter().filter_map(ended).collect();
    let [_, refused, tls] = &flows[..] else { panic!("{flows:?}") };
    assert_eq!(
        (tls.protocol.as_str(), tls.names.sni.as_str(), tls.names.issuer.as_str()),
        ("tls", "c2.test", "CN=c2")
    );
    assert_eq!((tls.sent.payload_bytes, tls.received.ip_bytes, tls.duration_ns), (517, 1700, 2_250_000_000));
    assert_eq!(tls.facts, ["protocol_on_foreign_port"]);
    assert!(!refused.initiated && refused.end == "reset" && refused.protocol.is_empty());
    let cookies: Vec<u64> = flows.iter().map(|flow| flow.cookie).collect();
    assert!(cookies[0] == cookies[2] && cookies[0] != cookies[1] && cookies[0] != 0);
}

#[test]
fn a_request_has_its_answer_and_escapes_are_read() {
    let events = events(&[HTTP]);
    let [Event { kind: Kind::Http(http), .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((http.method.as_str(), http.status, http.media_type.as_str()), ("GET", 404, "text/html"));
    assert_eq!((http.path(), http.query(), http.agent.as_str()), ("/a\tb", "c=d", "curl/8"));
}

#[test]
fn lines_that_are_no_records_are_told_then_counted_and_the_rest_is_read() {
    let mut text = String::from(CONN);
    for wrong in ["1\t2", "x\tC\t1.1.1.1\t1\t1.1.1.1\t1\ttcp\t-\t-\t-\t-\tSF\t1\t1\t1\t1", "{", "[]"] {
        text.push_str(wrong);
        text.push('\n');
    }
    for _ in 0..10 {
        text.push_str("short\n");
    }
    text.push_str("1003\tC9\t10.0.0.5\t1\t10.0.0.6\t2\tudp\t-\t-\t-\t-\tS0\t1\t40\t0\t0\n");
    let mut logs = logs(&[&text]);
    let (mut errors, mut last) = (0, 0);
    loop {
        match logs.next_event() {
            Ok(Some(event)) => last = event.boot.0,
            Ok(None) => break,
            Err(_) => errors += 1,
        }
    }
    assert_eq!((errors, logs.left_out(), last), (TOLD, 14, 1003 * TICK_NS));
}

#[test]
fn names_without_a_uid_join_no_connection() {
    let without = |text: &str| text.replace("\tC1\t", "\t-\t").replace(r#""uid":"C1","#, "");
    let (conn, ssl) = (without(CONN), without(SSL));
    let joined = |event: &Event| match &event.kind {
        Kind::Flow(flow) if flow.state == event::network::FlowState::End => !flow.names.sni.is_empty(),
        _ => false,
    };
    assert!(events(&[CONN, SSL]).iter().any(joined) && !events(&[&conn, &ssl]).iter().any(joined));
}

#[test]
fn nothing_is_read_of_what_has_no_head() {
    let mut logs = logs(&["1000\tC1\t172.17.0.2\n"]);
    let Err(error) = logs.next_event() else { panic!() };
    assert_eq!(
        error.to_string(),
        "log:1: no record of Zeek: the head with #path of conn, dns, ssl or http is missing"
    );
    assert!(matches!(logs.next_event(), Ok(None)));
}

#[test]
fn the_own_end_is_the_one_that_zeek_calls_local() {
    let own = |local: &str| -> (String, bool) {
        let text = format!(
            "#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tlocal_orig\tlocal_resp\n\
1\t203.0.113.5\t9\t198.51.100.9\t22\ttcp\t{local}\n"
        );
        let flow = events(&[&text]).into_iter().find_map(|event| match event.kind {
            Kind::Flow(flow) => Some((flow.ends.local_ip.to_string(), flow.initiated)),
            _ => None,
        });
        flow.unwrap()
    };
    assert_eq!(own("F\tT"), ("198.51.100.9".to_owned(), false));
    for other in ["T\tF", "F\tF", "T\tT", "-\t-"] {
        assert_eq!(own(other), ("203.0.113.5".to_owned(), true), "{other}");
    }
}

#[test]
fn a_refusal_carries_its_result() {
    let text = CONN.replace("203.0.113.5", "10.0.0.6");
    let results: Vec<(ConnectionOp, i32)> = events(&[&text])
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Connection(c) if c.ends.remote_port == 22 => Some((c.op, c.result)),
            _ => None,
        })
        .collect();
    assert_eq!(results, [(ConnectionOp::Connect, 0), (ConnectionOp::Connected, -111)]);
}
