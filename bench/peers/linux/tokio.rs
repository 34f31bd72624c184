// SPDX-License-Identifier: MIT
//! tokio - a server on tokio, as its documentation teaches it: a task for each connection.
//!
//! The echo reads what is there and writes the whole messages of it back, from where they are, in one call. With
//! broadcast it is the chat server of the examples: each message is made once, shared, and put into the channel of
//! every connection; a second task for each connection takes all that is in its channel and writes that in one call.
//! One thread is tokio's current_thread runtime, more are its multi_thread one.
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::io::{Error, ErrorKind, Result};
use std::os::raw::{c_char, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};

const HEADER_BYTES: usize = 4;
const FIRST_ROOM: usize = 64 * 1024 + 512;
const MESSAGE_MAX: usize = 16 * 1024 * 1024;
const JOINED_MAX: usize = 64 * 1024;

type Message = Arc<[u8]>;

/// Received bytes, of which the messages in the front are whole.
struct Inbox {
    bytes: Vec<u8>,
    filled: usize,
}

impl Inbox {
    fn new() -> Inbox {
        Inbox { bytes: vec![0; FIRST_ROOM], filled: 0 }
    }

    /// Waits for more. An end is an error, as the peer's going is.
    async fn receive(&mut self, from: &mut (impl AsyncRead + Unpin)) -> Result<()> {
        match from.read(&mut self.bytes[self.filled..]).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => {
                self.filled += count;
                Ok(())
            }
        }
    }

    /// Bytes of the message at `at`, its header counted; None: less than a header is there.
    fn frame_at(&self, at: usize) -> Option<usize> {
        let header = self.bytes[at..self.filled].get(..HEADER_BYTES)?;
        Some(u32::from_le_bytes(header.try_into().ok()?) as usize + HEADER_BYTES)
    }

    /// The whole message at `at`, its header counted.
    fn message_at(&self, at: usize) -> Option<&[u8]> {
        self.bytes[at..self.filled].get(..self.frame_at(at)?)
    }

    /// All whole messages in the front.
    fn whole(&self) -> &[u8] {
        let mut end = 0;
        while let Some(message) = self.message_at(end) {
            end += message.len();
        }
        &self.bytes[..end]
    }

    /// Forgets that many bytes in the front, and makes room for the message that follows.
    fn forget(&mut self, count: usize) -> Result<()> {
        self.bytes.copy_within(count..self.filled, 0);
        self.filled -= count;
        match self.frame_at(0) {
            Some(frame) if frame > MESSAGE_MAX => Err(ErrorKind::InvalidData.into()),
            Some(frame) if frame > self.bytes.len() => {
                self.bytes.resize(frame, 0);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

async fn echo(mut stream: UnixStream) -> Result<()> {
    let mut inbox = Inbox::new();
    loop {
        inbox.receive(&mut stream).await?;
        let whole = inbox.whole();
        let done = whole.len();
        stream.write_all(whole).await?;
        inbox.forget(done)?;
    }
}

/// Everybody who is there, and their channels.
#[derive(Default)]
struct Room {
    channels: Mutex<HashMap<u64, UnboundedSender<Message>>>,
}

impl Room {
    fn tell(&self, bytes: &[u8]) {
        let message: Message = bytes.into();
        for channel in self.channels.lock().unwrap().values() {
            let _ = channel.send(message.clone()); // Who is just leaving does not hear it.
        }
    }

    async fn hear(&self, mut from: OwnedReadHalf) -> Result<()> {
        let mut inbox = Inbox::new();
        loop {
            inbox.receive(&mut from).await?;
            let mut done = 0;
            while let Some(message) = inbox.message_at(done) {
                self.tell(message);
                done += message.len();
            }
            inbox.forget(done)?;
        }
    }

    async fn join(self: Arc<Room>, name: u64, stream: UnixStream) {
        let (from, to) = stream.into_split();
        let (sender, channel) = unbounded_channel();
        self.channels.lock().unwrap().insert(name, sender);
        tokio::spawn(write_joined(channel, to));
        let _ = self.hear(from).await; // However it ends, it has left.
        self.channels.lock().unwrap().remove(&name);
    }
}

async fn write_joined(mut channel: UnboundedReceiver<Message>, mut to: OwnedWriteHalf) -> Result<()> {
    let mut joined = Vec::new();
    while let Some(first) = channel.recv().await {
        joined.clear();
        joined.extend_from_slice(&first);
        while joined.len() < JOINED_MAX {
            match channel.try_recv() {
                Ok(message) => joined.extend_from_slice(&message),
                Err(_) => break, // Empty, or everybody has left: then recv says so.
            }
        }
        to.write_all(&joined).await?;
    }
    Ok(())
}

async fn serve(path: &Path, broadcast: bool, ready: impl FnOnce()) -> Result<()> {
    let _ = std::fs::remove_file(path); // Left by one that was killed; if it is still there, bind says so.
    let listener = UnixListener::bind(path)?;
    let room = Arc::new(Room::default());
    ready();
    for name in 0.. {
        let (stream, _) = listener.accept().await?;
        if broadcast {
            tokio::spawn(room.clone().join(name, stream));
        } else {
            tokio::spawn(echo(stream));
        }
    }
    Err(Error::new(ErrorKind::Other, "no names are left"))
}

fn runtime(threads: u32) -> Result<Runtime> {
    match threads {
        1 => Builder::new_current_thread().enable_io().build(),
        _ => Builder::new_multi_thread().worker_threads(threads as usize).enable_io().build(),
    }
}

/// See tokio.h.
///
/// # Safety
/// `name` ends with a zero, and `ready` may be called with `with`.
#[no_mangle]
pub unsafe extern "C" fn tokio_serve(
    name: *const c_char,
    threads: u32,
    broadcast: bool,
    ready: extern "C" fn(*const c_void),
    with: *const c_void,
) {
    let path = Path::new(OsStr::from_bytes(CStr::from_ptr(name).to_bytes()));
    let ended = runtime(threads).and_then(|all| all.block_on(serve(path, broadcast, || ready(with))));
    if let Err(why) = ended {
        eprintln!("peer_tokio: {}: {}", path.display(), why);
    }
}
