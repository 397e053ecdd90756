use super::*;
use wire::http2::PREFACE;

/// Frames: settings, then requests and answers by the fixed table.
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
const GET_1: &[u8] = b"\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84";
const GET_3: &[u8] = b"\0\0\x03\x01\x05\0\0\0\x03\x82\x86\x85";
const OK_1: &[u8] = b"\0\0\x13\x01\x05\0\0\0\x01\x88\x5f\x10application/grpc";
const NOT_FOUND_3: &[u8] = b"\0\0\x01\x01\x05\0\0\0\x03\x8d";

/// Payloads of a flow, each of the client or not, in the place where it stands; then the end.
struct Talk {
    requests: Requests,
    places: [u32; 2],
    told: Vec<String>,
}

impl Talk {
    fn new() -> Self {
        Self { requests: Requests::default(), places: [0; 2], told: Vec::new() }
    }

    fn says(&mut self, is_client: bool, bytes: &[u8]) {
        let place = &mut self.places[usize::from(is_client)];
        let sequence = *place;
        *place += u32::try_from(bytes.len()).unwrap();
        self.piece(is_client, sequence, bytes);
    }

    fn piece(&mut self, is_client: bool, sequence: u32, bytes: &[u8]) {
        let piece = Piece {
            flow: 7,
            ends: Endpoints::default(),
            direction: if is_client { Direction::Out } else { Direction::In },
            to_server: Some(is_client),
            sequence,
            bytes,
        };
        let told = &mut self.told;
        self.requests.take(&piece, &mut |http| told.push(shown(&http)));
    }

    fn ends(mut self) -> Vec<String> {
        let told = &mut self.told;
        self.requests.ended(7, &mut |http| told.push(shown(&http)));
        self.told
    }
}

fn shown(http: &Http) -> String {
    assert!(http.initiated && http.cookie == 7);
    format!("{} {} {} {}", http.method, http.target.as_str(), http.status, http.media_type)
        .trim_end()
        .to_owned()
}

#[test]
fn each_stream_gets_its_own_answer_and_what_has_none_waits_for_the_end() {
    let mut talk = Talk::new();
    talk.says(true, &[PREFACE, SETTINGS, GET_1].concat());
    talk.says(false, SETTINGS);
    talk.says(true, GET_3);
    talk.says(false, NOT_FOUND_3);
    assert_eq!(talk.told, ["GET /index.html 404"]);
    assert_eq!(talk.ends(), ["GET /index.html 404", "GET / 0"]);
}

#[test]
fn segments_out_of_order_and_sent_twice_are_read_once() {
    let mut talk = Talk::new();
    let begin = [PREFACE, SETTINGS].concat();
    let at = u32::try_from(begin.len()).unwrap();
    talk.piece(true, 0, &begin);
    talk.piece(true, at + 12, GET_3);
    talk.piece(true, at, GET_1);
    talk.piece(true, at, GET_1);
    talk.piece(false, 0, &[SETTINGS, OK_1].concat());
    assert_eq!(talk.ends(), ["GET / 200 application/grpc", "GET /index.html 0"]);
}

#[test]
fn where_the_answers_are_lost_requests_are_told_without() {
    let mut talk = Talk::new();
    talk.says(true, &[PREFACE, SETTINGS, GET_1].concat());
    talk.says(false, b"\xff\xff\xff\x01\0\0\0\0\x01");
    assert_eq!(talk.told, ["GET / 0"]);
    talk.says(true, GET_3);
    assert_eq!(talk.ends(), ["GET / 0", "GET /index.html 0"]);
}

#[test]
fn an_upgrade_answers_its_request_on_the_first_stream() {
    let mut talk = Talk::new();
    talk.says(true, b"GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    let head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    talk.says(false, &[&head[..], SETTINGS, &OK_1[..9]].concat());
    talk.says(true, &[PREFACE, SETTINGS, GET_3].concat());
    talk.says(false, &[&OK_1[9..], NOT_FOUND_3].concat());
    assert_eq!(talk.ends(), ["GET /up 200 application/grpc", "GET /index.html 404"]);
}

#[test]
fn a_sensor_that_knows_no_opener_is_told_by_the_bytes() {
    let mut requests = Requests::default();
    let mut told = Vec::new();
    let flow = Piece {
        flow: 7,
        ends: Endpoints::default(),
        direction: Direction::Out,
        to_server: None,
        sequence: 0,
        bytes: b"GET /a HTTP/1.1\r\n\r\n",
    };
    requests.take(&flow, &mut |http| told.push(shown(&http)));
    let answer = Piece { direction: Direction::In, bytes: b"HTTP/1.1 204 x\r\n\r\n", ..flow };
    requests.take(&answer, &mut |http| told.push(shown(&http)));
    assert_eq!(told, ["GET /a 204"]);
}

#[test]
fn connections_and_streams_that_wait_are_bounded() {
    let mut requests = Requests::default();
    let mut told = 0;
    let begin = [PREFACE, SETTINGS, GET_1].concat();
    for flow in 1..=600 {
        let piece = Piece {
            flow,
            ends: Endpoints::default(),
            direction: Direction::Out,
            to_server: Some(true),
            sequence: 0,
            bytes: &begin,
        };
        requests.take(&piece, &mut |_| told += 1);
    }
    assert_eq!(told, 600 - 512);
    let many: Vec<u8> = (0..200_u8)
        .flat_map(|stream| [&b"\0\0\x03\x01\x05\0\0\0"[..], &[stream], b"\x82\x86\x84"].concat())
        .collect();
    let mut talk = Talk::new();
    talk.says(true, &[PREFACE, &many[..]].concat());
    assert_eq!(talk.told.len(), 200 - 128);
}
