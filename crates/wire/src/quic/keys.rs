//! Keys of Initial packets, and opening a packet with them.

use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes_gcm::{AeadInOut, Aes128Gcm};
use hkdf::Hkdf;
use sha2::Sha256;

use super::parse::{Initial, V2};

const KEY_BYTES: usize = 16;
const IV_BYTES: usize = 12;
/// RFC 9001 §5.3.
const TAG_BYTES: usize = 16;
/// RFC 9001 §5.4.2: the sample begins four bytes behind the start of the packet number.
const SAMPLE_OFFSET: usize = 4;
const SAMPLE_BYTES: usize = 16;

/// RFC 9001 §5.2.
const SALT_V1: [u8; 20] =
    *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
/// RFC 9369 §3.3.1.
const SALT_V2: [u8; 20] =
    *b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9";
/// draft-ietf-quic-tls-29 §5.2, to draft 32.
const SALT_DRAFT_29: [u8; 20] =
    *b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99";
/// draft-ietf-quic-tls-23 §5.2, to draft 28.
const SALT_DRAFT_23: [u8; 20] =
    *b"\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02";

/// What opens and unmasks a client's Initial packets.
pub(super) struct Keys {
    cipher: Aes128Gcm,
    mask: Aes128,
    iv: [u8; IV_BYTES],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    /// The keys that follow from the connection id of a client's first packet; `None` for a version that is not known.
    pub(super) fn of_client(version: u32, destination: &[u8]) -> Option<Self> {
        let salt = match version {
            1 | 0xff00_0021..=0xff00_00ff => SALT_V1,
            V2 => SALT_V2,
            0xff00_001d..=0xff00_0020 => SALT_DRAFT_29,
            0xff00_0017..=0xff00_001c => SALT_DRAFT_23,
            // Meta's implementation has numbers of its own; those from 2 on follow draft 27.
            0xface_b002..=0xface_b00f => SALT_DRAFT_23,
            _ => return None,
        };
        let (key, iv, mask): (&[u8], &[u8], &[u8]) = match version {
            V2 => (b"quicv2 key", b"quicv2 iv", b"quicv2 hp"),
            _ => (b"quic key", b"quic iv", b"quic hp"),
        };
        let initial = Hkdf::<Sha256>::new(Some(&salt), destination);
        let client: [u8; 32] = expand(&initial, b"client in")?;
        let client = Hkdf::<Sha256>::from_prk(&client).ok()?;
        Some(Self {
            cipher: Aes128Gcm::new(&expand::<KEY_BYTES>(&client, key)?.into()),
            mask: Aes128::new(&expand::<KEY_BYTES>(&client, mask)?.into()),
            iv: expand(&client, iv)?,
        })
    }

    /// The frames of a packet; `None` if it was not protected with these keys.
    pub(super) fn open(&self, packet: &Initial<'_>) -> Option<Vec<u8>> {
        let sample = packet.bytes.get(packet.number_at + SAMPLE_OFFSET..)?.first_chunk::<SAMPLE_BYTES>()?;
        let mut mask = (*sample).into();
        self.mask.encrypt_block(&mut mask);
        let [first_mask, number_mask @ ..] = <[u8; SAMPLE_BYTES]>::from(mask);

        // RFC 9001 §5.4.1: of a long header four bits are masked.
        let first = packet.bytes.first()? ^ first_mask & 0x0f;
        let number_bytes = usize::from(first & 0x03) + 1;
        let mut header = packet.bytes.get(..packet.number_at + number_bytes)?.to_vec();
        *header.first_mut()? = first;
        let mut number = 0u32;
        for (byte, mask) in header.iter_mut().skip(packet.number_at).zip(number_mask) {
            *byte ^= mask;
            number = number << 8 | u32::from(*byte);
        }
        // RFC 9001 §5.3: the packet number, padded to the left, over the IV.
        let mut nonce = self.iv;
        for (byte, part) in nonce.iter_mut().rev().zip(number.to_le_bytes()) {
            *byte ^= part;
        }
        let (text, tag) = packet.bytes.get(header.len()..)?.split_last_chunk::<TAG_BYTES>()?;
        let mut frames = text.to_vec();
        let opened = self.cipher.decrypt_inout_detached(
            &nonce.into(),
            &header,
            frames.as_mut_slice().into(),
            &(*tag).into(),
        );
        opened.ok().map(|()| frames)
    }
}

/// HKDF-Expand-Label, RFC 8446 §7.1, without a context.
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &[u8]) -> Option<[u8; N]> {
    const PREFIX: &[u8] = b"tls13 ";
    let mut out = [0; N];
    let out_bytes = u16::try_from(N).ok()?.to_be_bytes();
    let label_bytes = u8::try_from(PREFIX.len() + label.len()).ok()?;
    secret.expand_multi_info(&[&out_bytes, &[label_bytes], PREFIX, label, &[0]], &mut out).ok()?;
    Some(out)
}
