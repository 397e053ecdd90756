use super::*;
use crate::tls;

/// RFC 9001 appendix A: the connection id of its examples.
const DESTINATION: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

/// The client's key and IV, RFC 9001 appendix A.1.
const KEY: [u8; 16] =
    [0x1f, 0x36, 0x96, 0x13, 0xdd, 0x76, 0xd5, 0x46, 0x77, 0x30, 0xef, 0xcb, 0xe3, 0xb1, 0xa2, 0x2d];
const IV: [u8; 12] = [0xfa, 0x04, 0x4b, 0x2f, 0x42, 0xa3, 0xfd, 0x3b, 0x46, 0xfb, 0x25, 0x5c];
/// The key of header protection, from the same place.
const MASK: [u8; 16] =
    [0x9f, 0x50, 0x44, 0x9e, 0x04, 0xa0, 0xe8, 0x10, 0x28, 0x3a, 0x1e, 0x99, 0x33, 0xad, 0xed, 0xd2];

/// A whole ClientHello message with one suite and a server name.
fn hello() -> Vec<u8> {
    let name = b"c2.example.com";
    let len = u8::try_from(name.len()).expect("short");
    let extension = [&[0, 0, 0, len + 5, 0, len + 3, 0, 0, len], &name[..]].concat();
    let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0, 0, len + 9], &extension].concat();
    [&[1, 0, 0, u8::try_from(body.len()).expect("short")], &body[..]].concat()
}

fn crypto(offset: u8, bytes: &[u8]) -> Vec<u8> {
    [&[6, offset, 0x40, u8::try_from(bytes.len()).expect("short")], bytes].concat()
}

/// Protects frames with the keys of RFC 9001's examples, as a client would.
fn protect(number: u8, frames: &[u8]) -> Vec<u8> {
    use aes_gcm::aes::cipher::{BlockCipherEncrypt, KeyInit};
    use aes_gcm::{AeadInOut, Aes128Gcm, aes::Aes128};
    let mut text = frames.to_vec();
    text.resize(1162, 0);
    let length = u16::try_from(text.len() + 16 + 1).expect("small") | 0x4000;
    let mut packet =
        [&[0xc0, 0, 0, 0, 1, 8][..], &DESTINATION, &[0, 0], &length.to_be_bytes(), &[number]].concat();
    let mut nonce = IV;
    nonce[11] ^= number;
    let tag = Aes128Gcm::new(&KEY.into())
        .encrypt_inout_detached(&nonce.into(), &packet, text.as_mut_slice().into())
        .expect("protected");
    let number_at = packet.len() - 1;
    packet.extend(&text);
    packet.extend(tag.iter());
    let mut mask = <[u8; 16]>::try_from(&packet[number_at + 4..number_at + 20]).expect("sample").into();
    Aes128::new(&MASK.into()).encrypt_block(&mut mask);
    packet[0] ^= mask[0] & 0x0f;
    packet[number_at] ^= mask[1];
    packet
}

#[test]
fn an_initial_of_the_standards_keys_gives_its_hello() {
    let mut client = Client::default();
    assert!(client.take(&protect(2, &crypto(0, &hello()))));
    let hello = tls::client_hello_message(client.handshake()).expect("a hello");
    assert_eq!((hello.server_name.as_deref(), hello.incomplete), (Some("c2.example.com"), None));
}

#[test]
fn a_hello_in_pieces_out_of_order_is_joined() {
    let hello = hello();
    let (front, back) = hello.split_at(20);
    let mut client = Client::default();
    let turned = [crypto(20, back), vec![1, 0], crypto(0, front)].concat();
    assert!(client.take(&protect(0, &turned)));
    assert_eq!(client.handshake(), hello);

    let mut client = Client::default();
    assert!(client.take(&protect(0, &crypto(20, back))));
    assert!(client.handshake().is_empty());
    assert!(client.take(&protect(1, &crypto(0, front))));
    assert_eq!(client.handshake(), hello);
}

#[test]
fn acknowledgements_are_passed_and_other_frames_end_the_packet() {
    let acknowledged = [&[2, 5, 0, 1, 0, 0, 0][..], &crypto(0, &hello())].concat();
    let mut client = Client::default();
    assert!(client.take(&protect(0, &acknowledged)));
    assert_eq!(client.handshake(), hello());
    // STREAM is not allowed before the handshake.
    let mut client = Client::default();
    assert!(client.take(&protect(0, &[&[8, 0, 0][..], &crypto(0, &hello())].concat())));
    assert!(client.handshake().is_empty());
}

#[test]
fn every_prefix_and_every_changed_byte_is_refused() {
    let packet = protect(0, &crypto(0, &hello()));
    for end in (0..packet.len()).step_by(7) {
        assert!(!Client::default().take(&packet[..end]), "prefix of {end} bytes");
    }
    for at in (0..packet.len()).step_by(13) {
        let mut changed = packet.clone();
        changed[at] ^= 0x20;
        assert!(!Client::default().take(&changed), "byte {at}");
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let mut client = Client::default();
    for number in 0..MAX_INITIALS {
        let frames: Vec<u8> = (1..90).flat_map(|offset| crypto(offset, &[number; 3])).collect();
        assert!(client.take(&protect(number, &frames)));
        assert!(client.heap_bytes() < 2 * MAX_CRYPTO_BYTES);
    }
    assert!(client.is_over() && !client.take(&protect(9, &crypto(0, &hello()))));
}
