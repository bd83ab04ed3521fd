//! Which addresses are served, and on which terms.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use super::Error;
use crate::config::ServingSettings;

/// The open sockets, before anything is served on them.
///
/// Where nobody says who may ask, neither a cluster nor the authority of certificates, a socket is on loopback.
#[derive(Debug, Default)]
pub struct Listeners {
    /// The HTTPS listener.
    pub https: Option<TcpListener>,
    /// The plain HTTP listener, always on loopback.
    pub http: Option<TcpListener>,
}

impl Listeners {
    /// Opens the listeners that the settings ask for.
    ///
    /// The HTTPS address is `bind_address` if given; else every address if it is asked who asks, else loopback.
    pub fn bind(settings: &ServingSettings, asks_who: bool) -> Result<Self, Error> {
        let https = match settings.secure_port {
            0 => None,
            port => Some(listen(https_address(settings.bind_address, asks_who)?, port)?),
        };
        let http = match settings.insecure_http_port {
            None => None,
            Some(port) => Some(listen(Ipv4Addr::LOCALHOST.into(), port)?),
        };
        Ok(Self { https, http })
    }

    /// Checks the rule on the sockets as they are, whoever opened them.
    pub(super) fn check(&self, asks_who: bool) -> Result<(), Error> {
        for (listener, asks_who) in [(&self.https, asks_who), (&self.http, false)] {
            let address = listener
                .as_ref()
                .and_then(|it| it.local_addr().ok())
                .map(|address| address.ip());
            if let Some(address) = address.filter(|address| !asks_who && !address.is_loopback()) {
                return Err(Error::NotLoopback(address));
            }
        }
        Ok(())
    }
}

fn https_address(given: Option<IpAddr>, asks_who: bool) -> Result<IpAddr, Error> {
    match given {
        Some(address) if !asks_who && !address.is_loopback() => Err(Error::NotLoopback(address)),
        Some(address) => Ok(address),
        None if asks_who => Ok(Ipv4Addr::UNSPECIFIED.into()),
        None => Ok(Ipv4Addr::LOCALHOST.into()),
    }
}

fn listen(ip: IpAddr, port: u16) -> Result<TcpListener, Error> {
    let address = SocketAddr::new(ip, port);
    TcpListener::bind(address).map_err(|source| Error::Bind { address, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn default_address_depends_on_whether_it_is_asked_who_asks() {
        assert_eq!(https_address(None, false).unwrap(), ip("127.0.0.1"));
        assert_eq!(https_address(None, true).unwrap(), ip("0.0.0.0"));
        assert_eq!(https_address(Some(ip("10.1.2.3")), true).unwrap(), ip("10.1.2.3"));
        assert_eq!(https_address(Some(ip("::1")), false).unwrap(), ip("::1"));
    }

    #[test]
    fn any_other_address_is_refused_where_nobody_says_who_may_ask_and_names_the_cure() {
        for address in ["0.0.0.0", "::", "10.1.2.3"] {
            let error = https_address(Some(ip(address)), false).unwrap_err().to_string();
            assert!(
                error.contains(address) && error.contains("--client-ca-file"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_open_socket_is_held_to_the_same_rule() {
        let open = || Some(TcpListener::bind("0.0.0.0:0").unwrap());
        let https = Listeners {
            https: open(),
            http: None,
        };
        assert!(matches!(https.check(false), Err(Error::NotLoopback(_))));
        assert!(https.check(true).is_ok());
        let http = Listeners {
            https: None,
            http: open(),
        };
        assert!(matches!(http.check(true), Err(Error::NotLoopback(_))));
    }
}
