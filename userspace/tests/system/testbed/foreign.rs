//! What else lives on a port: other people's traffic and XDP programs, and a terminal.
#![allow(unsafe_code, reason = "raw ICMP sockets, bpf(2) and openpty have no safe face")]

use super::{Linerate, Port};
use std::ffi::CString;
use std::io::{self, Read, Write};
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Pings `to` from the namespace of `from`, `count` times, with payload checked.
/// Returns how many replies came back unharmed.
pub(crate) fn exchange_echoes(from: &Port, to: Ipv4Addr, count: u16, gap: Duration) -> u16 {
    from.inside(|| {
        // SAFETY: plain socket(2).
        let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP) };
        assert!(fd >= 0, "ICMP socket: {}", io::Error::last_os_error());
        // SAFETY: socket(2) just gave this descriptor to nobody else.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        (0..count)
            .filter(|number| {
                std::thread::sleep(gap);
                echo(&socket, to, *number)
            })
            .count() as u16
    })
}

fn echo(socket: &OwnedFd, to: Ipv4Addr, number: u16) -> bool {
    let mut request = vec![8, 0, 0, 0, 0x4c, 0x52];
    request.extend(number.to_be_bytes());
    request.extend((0..1000).map(|octet| octet as u8));
    let sum = internet_checksum(&request);
    request[2..4].copy_from_slice(&sum.to_be_bytes());
    // SAFETY: all-zero is a valid sockaddr_in.
    let mut address: libc::sockaddr_in = unsafe { zeroed() };
    address.sin_family = libc::AF_INET as u16;
    address.sin_addr.s_addr = u32::from(to).to_be();
    // SAFETY: slice and address are live and their lengths are their own.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            request.as_ptr().cast(),
            request.len(),
            0,
            (&raw const address).cast(),
            size_of::<libc::sockaddr_in>() as u32,
        )
    };
    assert_eq!(sent, request.len() as isize, "ping: {}", io::Error::last_os_error());
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut buffer = [0_u8; 2048];
    // SAFETY: one live pollfd; a buffer of the length given.
    while unsafe { libc::poll(&raw mut poll, 1, 2000) } > 0 {
        // SAFETY: as above.
        let length =
            unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        let Ok(length) = usize::try_from(length) else { return false };
        let reply = &buffer[20..length]; // behind the IPv4 header
        if reply[0] == 0 && reply[4..] == request[4..] {
            return true;
        }
    }
    false
}

fn internet_checksum(octets: &[u8]) -> u16 {
    let mut sum: u32 =
        octets.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !sum as u16
}

/// A TCP connection from the namespace of `from` to `address` in that of `to`: sends
/// `lines` lines, each answered before the next, as a shell session would.
/// Fails when an octet comes back changed.
pub(crate) fn transfer_over_tcp(
    from: &Port,
    to: &Port,
    address: Ipv4Addr,
    lines: u32,
    gap: Duration,
) {
    let listener = to.inside(|| TcpListener::bind((address, 2222)).expect("listen"));
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("accept");
        let mut buffer = [0; 4096];
        loop {
            match connection.read(&mut buffer).expect("read at the server") {
                0 => return,
                length => connection.write_all(&buffer[..length]).expect("answer"),
            }
        }
    });
    let mut client = from.inside(|| {
        let socket = (address, 2222).into();
        TcpStream::connect_timeout(&socket, Duration::from_secs(5)).expect("connect")
    });
    client.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    for number in 0..lines {
        let line = format!("{number:>8} {}", "the quick brown fox ".repeat(100));
        client.write_all(line.as_bytes()).expect("send");
        let mut answer = vec![0; line.len()];
        client.read_exact(&mut answer).expect("the answer within 5 s");
        assert_eq!(answer, line.as_bytes(), "TCP payload changed on the way");
        std::thread::sleep(gap);
    }
    drop(client);
    server.join().expect("the server");
}

/// An XDP program of somebody else (`return XDP_PASS`) on a port, until dropped.
#[derive(Debug)]
pub(crate) struct ForeignProgram {
    _program: OwnedFd,
    _link: OwnedFd,
}

impl ForeignProgram {
    pub(crate) fn attach(port: &Port) -> Self {
        const BPF_PROG_LOAD: libc::c_long = 5;
        const BPF_LINK_CREATE: libc::c_long = 28;
        const BPF_PROG_TYPE_XDP: u32 = 6;
        const BPF_XDP: u32 = 37;
        const XDP_FLAGS_DRV_MODE: u32 = 4;
        // r0 = 2 (XDP_PASS); exit
        let instructions: [u64; 2] = [0x0000_0002_0000_00b7, 0x95];
        let license = CString::new("GPL").expect("no nul inside");
        // union bpf_attr of BPF_PROG_LOAD: type, count, instructions, licence.
        let load = [
            u64::from(BPF_PROG_TYPE_XDP) | 2 << 32,
            instructions.as_ptr() as u64,
            license.as_ptr() as u64,
        ];
        let program = bpf(BPF_PROG_LOAD, &load);
        let link = port.inside(|| {
            let name = CString::new(port.interface.as_str()).expect("no nul inside");
            // SAFETY: a nul-terminated name.
            let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
            // union bpf_attr of BPF_LINK_CREATE: program, interface, attach type, flags.
            let create = [
                program.as_raw_fd() as u64 | u64::from(index) << 32,
                u64::from(BPF_XDP) | u64::from(XDP_FLAGS_DRV_MODE) << 32,
            ];
            bpf(BPF_LINK_CREATE, &create)
        });
        Self { _program: program, _link: link }
    }
}

fn bpf(command: libc::c_long, attributes: &[u64]) -> OwnedFd {
    // SAFETY: the attributes are live, as long as said, and point at live memory.
    let fd = unsafe {
        libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size_of_val(attributes))
    };
    assert!(fd >= 0, "bpf({command}): {}", io::Error::last_os_error());
    // SAFETY: bpf(2) just gave this descriptor to nobody else.
    unsafe { OwnedFd::from_raw_fd(fd as i32) }
}

/// Runs commands with a terminal as stdin, stdout and stderr.
#[derive(Debug)]
pub(crate) struct Terminal;

impl Terminal {
    /// Everything that the command wrote to its terminal of 160 columns, and its exit code.
    pub(crate) fn run(arguments: &[&str]) -> (String, Option<i32>) {
        let (mut main, mut other) = (0, 0);
        let size = libc::winsize { ws_row: 50, ws_col: 160, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: two live integers and a window size; no name, no settings.
        let result = unsafe {
            libc::openpty(
                &raw mut main,
                &raw mut other,
                std::ptr::null_mut(),
                std::ptr::null(),
                &raw const size,
            )
        };
        assert_eq!(result, 0, "openpty: {}", io::Error::last_os_error());
        // SAFETY: openpty just gave these descriptors to nobody else.
        let (main, other) = unsafe { (OwnedFd::from_raw_fd(main), OwnedFd::from_raw_fd(other)) };
        let end = || Stdio::from(other.try_clone().expect("duplicate"));
        let mut command = Command::new(Linerate::BINARY);
        command.args(arguments).env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end());
        let mut child = command.spawn().expect("start linerate");
        drop(command);
        drop(other);
        let reader = std::thread::spawn(move || {
            let mut written = Vec::new();
            // Reading ends with EIO when the last one closed the terminal.
            let _ = std::fs::File::from(main).read_to_end(&mut written);
            String::from_utf8_lossy(&written).into_owned()
        });
        let status = child.wait().expect("linerate's end");
        (reader.join().expect("the reader"), status.code())
    }
}
