//! What is read of audit logs in all their shapes.

use super::*;

/// The one request of a line.
fn request(line: &str) -> ApiActivity {
    match <[Event; 1]>::try_from(events(line).unwrap()) {
        Ok([Event { kind: Kind::Api(api), .. }]) => *api,
        other => panic!("{other:?}"),
    }
}

fn first(line: &str) -> Result<Event, String> {
    events(line).map(|mut events| events.remove(0))
}

#[test]
fn a_deployment_gives_verb_object_user_and_images() {
    let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"create","user":{"username":"mallory"},
        "sourceIPs":["10.0.0.9"],"userAgent":"kubectl/v1.30","objectRef":{"resource":"deployments","namespace":"default","name":"malicious"},
        "responseStatus":{"code":201},"stageTimestamp":"2026-11-21T10:00:00.5Z",
        "requestObject":{"spec":{"template":{"spec":{"containers":[{"image":"malicious/image"}]}}}}}"#;
    assert!(is_audit_line(line));
    let event = first(line).unwrap();
    let Kind::Api(api) = &event.kind else { panic!("{event:?}") };
    assert_eq!((&*api.verb, &*api.resource, api.user.as_str()), ("create", "deployments", "mallory"));
    assert_eq!(api.images, ["malicious/image"]);
    assert_eq!(event.wall.as_millis() % 1000, 500);
}

#[test]
fn an_event_has_the_time_of_its_stage_and_the_name_of_what_it_makes() {
    let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","stage":"ResponseComplete",
        "verb":"create","user":{"username":"mallory"},"objectRef":{"resource":"pods","namespace":"default"},
        "requestObject":{"metadata":{"name":"probe"}},
        "requestReceivedTimestamp":"2026-11-21T10:00:00.250Z","stageTimestamp":"2026-11-21T10:00:00.5Z"}"#;
    assert!(is_audit_line(line));
    let event = first(line).unwrap();
    let Kind::Api(api) = &event.kind else { panic!("{event:?}") };
    assert_eq!((api.name.as_str(), event.wall.as_millis() % 1000), ("probe", 500));
    let received = line.replace(r#","stageTimestamp":"2026-11-21T10:00:00.5Z""#, "");
    assert_eq!(first(&received).unwrap().wall.as_millis() % 1000, 250);
}

#[test]
fn what_pods_may_do_is_read_from_every_container_and_volume() {
    let line = r#"{"kind":"Event","verb":"create","requestURI":"/apis/apps/v1/namespaces/default/daemonsets?x=1",
        "objectRef":{"resource":"daemonsets","apiGroup":"apps","namespace":"default","name":"agent"},
        "requestObject":{"spec":{"template":{"spec":{
            "volumes":[{"name":"c","configMap":{}},{"name":"root","hostPath":{"path":"/"}}],
            "initContainers":[{"image":"setup","securityContext":{"privileged":true}}],
            "containers":[{"image":"a","securityContext":{"capabilities":{"add":["SYS_ADMIN","NET_RAW"]}}},
                          {"image":"a","securityContext":{"capabilities":{"add":["SYS_ADMIN"],"drop":["ALL"]}}}]}}}}}"#;
    let event = first(line).unwrap();
    let Kind::Api(api) = &event.kind else { panic!("{event:?}") };
    assert_eq!(api.images, ["a", "setup"]);
    assert_eq!(api.host_paths, ["/"]);
    assert_eq!(api.capabilities_added, ["SYS_ADMIN", "NET_RAW"]);
    assert_eq!((api.privileged, &*api.group), (Some(true), "apps"));
    assert_eq!(api.request_uri.as_str(), "/apis/apps/v1/namespaces/default/daemonsets?x=1");
}

#[test]
fn an_object_of_any_shape_and_size_is_bounded() {
    let paths: Vec<String> =
        (0..1000).map(|number| format!(r#"{{"hostPath":{{"path":"/{number}"}}}}"#)).collect();
    let request = format!(r#"{{"spec":{{"volumes":[{}],"containers":{{"image":1}}}}}}"#, paths.join(","));
    let line = format!(r#"{{"kind":"Event","verb":"create","requestObject":{request}}}"#);
    let event = first(&line).unwrap();
    let Kind::Api(api) = &event.kind else { panic!("{event:?}") };
    assert_eq!((api.host_paths.len(), api.privileged), (VALUES, None));
    assert!(first(r#"{"kind":"Event","verb":"get","requestObject":[[],7]}"#).is_ok());
}

#[test]
fn other_json_is_refused() {
    assert!(!is_audit_line(r#"{"kind":"Pod"}"#));
    assert!(first("[1]").is_err());
}

const INNER: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","verb":"get","user":{"username":"eve"},
    "objectRef":{"resource":"secrets","namespace":"default","name":"token"},"responseStatus":{"code":200}}"#;

#[test]
fn what_clouds_and_shippers_wrap_around_a_request_is_taken_off() {
    let text = serde_json::to_string(INNER).unwrap();
    for line in [
        INNER.to_owned(),
        format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{INNER}]}}"#),
        format!(r#"{{"category":"kube-audit","properties":{{"log":{text},"pod":"kube-apiserver"}}}}"#),
        format!(r#"{{"records":[{{"category":"kube-audit-admin","properties":{{"log":{INNER}}}}}]}}"#),
        format!(r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"id":"1","message":{text}}}]}}"#),
        format!(r#"{{"stream":"stdout","log":{text}}}"#),
    ] {
        assert!(is_audit_line(&line), "{line}");
        let api = request(&line);
        assert_eq!((&*api.verb, &*api.resource, api.name.as_str()), ("get", "secrets", "token"), "{line}");
        assert_eq!((api.user.as_str(), api.status), ("eve", 200), "{line}");
    }
}

#[test]
fn google_tells_the_same_by_method_resource_and_permission() {
    let line = r#"{"logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-11-21T10:00:00.5Z","protoPayload":{
        "authenticationInfo":{"principalEmail":"eve@example.com"},"requestMetadata":{"callerIp":"203.0.113.9","callerSuppliedUserAgent":"kubectl"},
        "authorizationInfo":[{"granted":true,"permission":"io.k8s.core.v1.pods.exec.create","resource":"core/v1/namespaces/shop/pods/web/exec"}],
        "methodName":"io.k8s.core.v1.pods.exec.create","resourceName":"core/v1/namespaces/shop/pods/web/exec","status":{}}}"#;
    let api = request(line);
    assert_eq!((&*api.verb, &*api.resource, &*api.subresource), ("create", "pods", "exec"));
    assert_eq!((&*api.namespace, api.name.as_str(), &*api.group), ("shop", "web", ""));
    assert_eq!((&*api.source, api.user_agent.as_str(), api.status), ("203.0.113.9", "kubectl", 200));
    assert_eq!(&*api.decision, "allow");
    let denied = request(
        r#"{"protoPayload":{"methodName":"io.k8s.authorization.rbac.v1.clusterroles.create","resourceName":"rbac.authorization.k8s.io/v1/clusterroles/all",
        "status":{"code":7}}}"#,
    );
    assert_eq!((denied.status, denied.name.as_str(), &*denied.group), (403, "all", "authorization.rbac"));
    assert_eq!(events(r#"{"protoPayload":{"methodName":"compute.instances.list"}}"#), Ok(Vec::new()));
}

#[test]
fn a_request_that_was_only_received_is_told_with_its_answer() {
    assert_eq!(events(&INNER.replace("ResponseComplete", "RequestReceived")), Ok(Vec::new()));
}

#[test]
fn who_asked_is_read_with_groups_decision_and_proxies() {
    let api = request(
        r#"{"kind":"Event","verb":"create","user":{"username":"eve","groups":["dev","system:authenticated"]},
        "impersonatedUser":{"username":"admin"},"sourceIPs":["203.0.113.9","10.0.0.1"],"annotations":{"authorization.k8s.io/decision":"forbid"},
        "requestURI":"/api/v1/namespaces/a/pods/b/exec?command=sh&command=-c&command=id%20%3E+%2Ftmp%2Fx&stdin=true","objectRef":{"resource":"pods","subresource":"exec"}}"#,
    );
    assert_eq!((api.groups.len(), api.impersonated.as_str(), &*api.decision), (2, "admin", "forbid"));
    assert_eq!((&*api.source, &api.proxies[..]), ("203.0.113.9", &["10.0.0.1".into()][..]));
    assert_eq!(api.command.as_str(), "sh -c id > /tmp/x");
}

fn made(resource: &str, object: &str) -> ApiActivity {
    request(&format!(
        r#"{{"kind":"Event","verb":"create","objectRef":{{"resource":"{resource}"}},"requestObject":{object}}}"#
    ))
}

#[test]
fn what_objects_ask_for_is_read_by_their_kind() {
    let pod = made(
        "pods",
        r#"{"spec":{"hostPID":true,"hostNetwork":true,"hostIPC":false,"serviceAccountName":"builder","securityContext":{"runAsUser":1000},
        "containers":[{"image":"a"},{"image":"b","securityContext":{"runAsUser":0}}]}}"#,
    );
    assert_eq!(
        (pod.host_namespaces.as_slice(), pod.root),
        (&["pid".into(), "network".into()][..], Some(true))
    );
    assert_eq!((&*pod.service_account, pod.privileged), ("builder", Some(false)));
    assert_eq!(made("pods", r#"{"spec":{"containers":[{"image":"a"}]}}"#).root, None);

    let role = made(
        "clusterroles",
        r#"{"rules":[{"verbs":["create","get"],"resources":["pods/exec"]},{"verbs":["*"],"nonResourceURLs":["*"]}]}"#,
    );
    assert_eq!(role.grants, ["create pods/exec", "get pods/exec", "* *"]);

    let binding = made(
        "clusterrolebindings",
        r#"{"roleRef":{"name":"cluster-admin"},"subjects":[{"kind":"User","name":"eve"},{"kind":"ServiceAccount","namespace":"a","name":"b"}]}"#,
    );
    assert_eq!(
        (&*binding.role, binding.subjects.as_slice()),
        ("cluster-admin", &["User:eve".into(), "ServiceAccount:a/b".into()][..])
    );

    assert_eq!(&*made("services", r#"{"spec":{"type":"NodePort"}}"#).service_type, "NodePort");
    assert_eq!(made("ingresses", r#"{"spec":{"tls":[{"hosts":["a"]}]}}"#).tls, Some(true));
    assert_eq!(made("ingresses", r#"{"spec":{}}"#).tls, Some(false));
    assert_eq!(
        &*made(
            "certificatesigningrequests",
            r#"{"spec":{"signerName":"kubernetes.io/kube-apiserver-client"}}"#
        )
        .signer,
        "kubernetes.io/kube-apiserver-client"
    );
    let hooks = r#"{"webhooks":[{"clientConfig":{"url":"https://203.0.113.9/"}},{"clientConfig":{"service":{"namespace":"a","name":"b"}}}]}"#;
    assert_eq!(made("mutatingwebhookconfigurations", hooks).webhooks, ["https://203.0.113.9/", "a/b"]);
}

#[test]
fn the_data_of_configuration_maps_is_kept_in_part_and_that_of_secrets_never() {
    let object = format!(r#"{{"data":{{"password":"hunter2","long":"{}"}}}}"#, "x".repeat(10_000));
    let map = made("configmaps", &object);
    assert_eq!(map.data_keys, ["long", "password"]);
    assert!(map.data.as_str().len() < 4200, "{}", map.data.as_str().len());
    let secret = made("secrets", &object);
    assert_eq!((secret.data_keys.len(), secret.data.as_str()), (2, ""));
}

#[test]
fn a_patch_of_operations_is_read_as_what_it_writes() {
    let patch = r#"[{"op":"add","path":"/spec/ephemeralContainers/-","value":{"image":"busybox","securityContext":{"privileged":true}}},
        {"op":"remove","path":"/spec/x"},{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"evil"}]"#;
    let api = made("pods", patch);
    assert_eq!((api.images.as_slice(), api.privileged), (&["busybox".into(), "evil".into()][..], Some(true)));
}

#[test]
fn what_is_nested_without_end_is_refused() {
    let nested = format!("{}{}", r#"{"records":["#.repeat(100), "]}".repeat(100));
    assert!(events(&nested).is_err());
    let deep = format!(
        r#"{{"kind":"Event","verb":"get","requestObject":{}{}}}"#,
        "[".repeat(1000),
        "]".repeat(1000)
    );
    assert!(events(&deep).is_err());
}

#[test]
fn the_command_of_an_exec_is_read_from_its_options_too() {
    let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"create","user":{"username":"mallory"},
        "objectRef":{"resource":"pods","subresource":"exec","namespace":"shop","name":"web"},"responseStatus":{"code":101},
        "requestObject":{"command":["sh","-c","id"],"container":"web"}}"#;
    assert_eq!(request(line).command.as_str(), "sh -c id");
    let both =
        line.replace(r#""kind":"Event","#, r#""kind":"Event","requestURI":"/x/exec?command=ls&command=-l","#);
    assert_eq!(request(&both).command.as_str(), "ls -l");
}

#[test]
fn an_abridged_event_without_a_verb_needs_its_kind_and_who_asked() {
    let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","user":{"username":"system:anonymous"},
        "sourceIPs":["203.0.113.9"],"requestURI":"/healthz","responseStatus":{"code":200}}"#;
    assert!(is_audit_line(line));
    assert_eq!((&*request(line).verb, request(line).user.as_str()), ("", "system:anonymous"));
    for other in [line.replace("audit.k8s.io/v1", "v1"), line.replace("system:anonymous", "")] {
        assert_eq!(events(&other).unwrap_err(), "`verb` is missing");
    }
}

#[test]
fn an_answer_of_gke_that_is_a_failure_is_no_success() {
    let line = |answer: &str| {
        format!(
            r#"{{"protoPayload":{{"methodName":"io.k8s.core.v1.pods.create","resourceName":"core/v1/namespaces/shop/pods/web",
            "authorizationInfo":[{{"granted":true}}],"response":{answer}}}}}"#
        )
    };
    assert_eq!(request(&line(r#"{"status":"Failure","code":409}"#)).status, 409);
    assert_eq!(request(&line(r#"{"status":"Failure"}"#)).status, 500);
    assert_eq!(request(&line(r#"{"status":{"phase":"Pending"}}"#)).status, 200);
}

#[test]
fn a_log_is_known_by_its_first_event_whatever_follows() {
    let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"list","user":{"username":"bob"}}"#;
    for rest in ["", "\n", "\r\n{\"kind\":", "\nnot JSON\n"] {
        assert!(is_audit_line(&format!("{line}{rest}")), "{rest:?}");
    }
    assert!(is_audit_line(&format!("\n{line}")));
    assert!(!is_audit_line("{}\n") && !is_audit_line(""));
}
