//! A connection through a proxy: HTTP's CONNECT, or SOCKS 5.

use std::io;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use runtime::network::Stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use crate::client::percent_decode;

/// Of what a proxy answers to CONNECT.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Makes `stream`, which leads to `proxy`, lead to `host:port`; the error is in Go's words.
/// `headers` are sent to proxies of HTTP.
pub(crate) async fn open(
    stream: &mut dyn Stream,
    proxy: &Url,
    host: &str,
    port: u16,
    headers: &[(String, String)],
) -> Result<(), String> {
    match proxy.scheme() {
        "socks5" | "socks5h" => socks5(stream, proxy, host, port)
            .await
            .map_err(|error| format!("socks connect tcp {host}:{port}: {error}")),
        _ => connect(stream, proxy, host, port, headers).await,
    }
}

/// What tells a proxy of HTTP who we are.
pub(crate) fn authorization(proxy: &Url) -> Option<String> {
    if proxy.username().is_empty() && proxy.password().is_none() {
        return None;
    }
    let (username, password) = credentials(proxy);
    Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}"))))
}

fn credentials(proxy: &Url) -> (String, String) {
    (percent_decode(proxy.username()), percent_decode(proxy.password().unwrap_or_default()))
}

async fn connect(
    stream: &mut dyn Stream,
    proxy: &Url,
    host: &str,
    port: u16,
    headers: &[(String, String)],
) -> Result<(), String> {
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    for (name, value) in headers {
        if value.contains(['\r', '\n']) {
            return Err(format!("invalid value for header {name:?}"));
        }
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    let is_given = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
    if let Some(value) = authorization(proxy).filter(|_| !is_given) {
        request.push_str(&format!("Proxy-Authorization: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let head = read_head(stream).await.map_err(|error| error.to_string())?;
    let status = head.lines().next().unwrap_or_default();
    let mut words = status.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some(version), Some(code), _) if version.starts_with("HTTP/1.") && code == "200" => Ok(()),
        (Some(version), Some(_), Some(reason)) if version.starts_with("HTTP/1.") => {
            Err(reason.to_owned())
        }
        _ => Err("malformed HTTP response from the proxy".to_owned()),
    }
}

/// Byte by byte: what follows the head belongs to whoever is behind the proxy.
async fn read_head(stream: &mut dyn Stream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_BYTES_MAX {
            return Err(io::Error::other("the proxy's answer is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// RFC 1928, with RFC 1929 where the URL has credentials. Names are left to the proxy.
async fn socks5(stream: &mut dyn Stream, proxy: &Url, host: &str, port: u16) -> io::Result<()> {
    const NO_AUTHENTICATION: u8 = 0;
    const PASSWORD: u8 = 2;
    let (username, password) = credentials(proxy);
    let method = if username.is_empty() { NO_AUTHENTICATION } else { PASSWORD };
    stream.write_all(&[5, 1, method]).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    if answer != [5, method] {
        return Err(io::Error::other("no acceptable authentication methods"));
    }
    if method == PASSWORD {
        let mut message = vec![1];
        push_short(&mut message, username.as_bytes())?;
        push_short(&mut message, password.as_bytes())?;
        stream.write_all(&message).await?;
        stream.read_exact(&mut answer).await?;
        if answer[1] != 0 {
            return Err(io::Error::other("username/password authentication failed"));
        }
    }
    let mut request = vec![5, 1, 0];
    match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(std::net::IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            request.push(3);
            push_short(&mut request, host.as_bytes())?;
        }
    }
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    if head[1] != 0 {
        return Err(io::Error::other(socks5_reason(head[1])));
    }
    let bound_len = match head[3] {
        1 => 4,
        4 => 16,
        _ => usize::from(stream.read_u8().await?),
    };
    let mut bound = vec![0; bound_len + 2];
    stream.read_exact(&mut bound).await?;
    Ok(())
}

fn push_short(message: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    let len = u8::try_from(bytes.len())
        .map_err(|_| io::Error::other("longer than SOCKS can say: 255 bytes"))?;
    message.push(len);
    message.extend_from_slice(bytes);
    Ok(())
}

fn socks5_reason(code: u8) -> &'static str {
    match code {
        1 => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unknown code",
    }
}
