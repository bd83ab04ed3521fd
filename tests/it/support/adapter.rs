//! The real program, started for one test on a free port of loopback.
//!
//! ```ignore
//! let adapter = Setup::new("rules: []").objects("objects: []").backend(&fake.url()).start().await;
//! let response = adapter.get("/apis").await;
//! assert_eq!(adapter.terminate().await.code, Some(0));
//! ```

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::certificates::{Authority, Pem};
use super::server::{eventually, trusting};
use super::servers::{free_port, http_client};

/// The built program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_promql-adapter");

/// How long a run that ends by itself may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with the files of an adapter, and what is typed to start it there.
///
/// Files are named without their directory, so that messages are the same in every run.
pub(crate) struct Setup {
    directory: TempDir,
    arguments: Vec<String>,
    /// 0 for none.
    https_port: u16,
    program: Program,
}

/// What is started.
enum Program {
    /// The built program.
    Built,
    /// One of the directory, outside of which there is nothing for it.
    Confined { path: String, user: u32 },
}

impl Setup {
    /// With this text as `config.yaml`, plain HTTP on a free port and no HTTPS.
    pub(crate) fn new(config: &str) -> Setup {
        let setup = Setup {
            directory: tempfile::tempdir().unwrap(),
            arguments: Vec::new(),
            https_port: 0,
            program: Program::Built,
        };
        setup.write("config.yaml", config);
        setup
            .argument("--config=config.yaml")
            .argument("--secure-port=0")
            .argument("--insecure-http-port=0")
    }

    /// With this text as `objects.yaml`.
    pub(crate) fn objects(self, objects: &str) -> Setup {
        self.write("objects.yaml", objects);
        self.argument("--objects-file=objects.yaml")
    }

    /// With this base URL of the backend `default`.
    pub(crate) fn backend(self, url: &str) -> Setup {
        self.argument(&format!("--prometheus-url={url}"))
    }

    /// With this certificate, on HTTPS too.
    pub(crate) fn https(self, certificate: &Pem) -> Setup {
        certificate.write(self.path(), "tls");
        self.https_as_configured()
            .argument("--tls-cert-file=tls.crt")
            .argument("--tls-private-key-file=tls.key")
    }

    /// With the certificate that its configuration says, on HTTPS too.
    pub(crate) fn https_as_configured(mut self) -> Setup {
        self.https_port = free_port();
        let port = format!("--secure-port={}", self.https_port);
        self.argument(&port).argument("--bind-address=127.0.0.1")
    }

    /// With a program of the directory, which is all that there is for it, as this user.
    pub(crate) fn confined(self, path: &str, user: u32) -> Setup {
        let path = path.to_owned();
        Setup {
            program: Program::Confined { path, user },
            ..self
        }
    }

    /// With another argument.
    pub(crate) fn argument(mut self, argument: &str) -> Setup {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Writes a file of the directory.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    /// Where the files are.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Starts the program and waits until it serves.
    pub(crate) async fn start(self) -> Adapter {
        let mut process = self
            .command(&self.arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Log::default();
        let reading = log.read(process.stderr.take().unwrap());
        let mut adapter = Adapter {
            url: String::new(),
            client: http_client(),
            setup: self,
            process,
            log,
            reading,
        };
        adapter.url = adapter.served_url().await;
        adapter
    }

    /// Runs the program with these arguments alone, until it ends by itself.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output
            .unwrap_or_else(|_| panic!("{arguments:?} did not end"))
            .unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn command(&self, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Command {
        let mut command = self.program.command(self.path());
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

impl Program {
    fn command(&self, directory: &Path) -> Command {
        match self {
            Program::Built => Command::new(PROGRAM),
            Program::Confined { path, user } => {
                let mut command = Command::new("unshare");
                command
                    .arg(format!("--map-user={user}"))
                    .arg(format!("--root={}", directory.display()))
                    .arg(path);
                command
            }
        }
    }
}

/// A running adapter; it is killed and its files removed when dropped.
pub(crate) struct Adapter {
    /// Base URL, of plain HTTP unless it is [`Adapter::showing`], without a slash at its end.
    pub(crate) url: String,
    client: reqwest::Client,
    setup: Setup,
    process: Child,
    log: Log,
    reading: JoinHandle<()>,
}

impl Adapter {
    /// The same adapter, asked over HTTPS from now on by a client that trusts this authority and shows this certificate.
    pub(crate) fn showing(self, authority: &Authority, client: &Pem) -> Adapter {
        Adapter {
            url: format!("https://127.0.0.1:{}", self.https_port()),
            client: trusting(authority.pem())
                .identity(client.identity())
                .build()
                .unwrap(),
            ..self
        }
    }

    /// Asks for a path of the adapter.
    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.client.get(format!("{}{path}", self.url));
        request.send().await.expect("the adapter answers")
    }

    /// Status and JSON body of a path.
    pub(crate) async fn json(&self, path: &str) -> (u16, serde_json::Value) {
        let response = self.get(path).await;
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error} in {text}"));
        (status, body)
    }

    /// The adapter's own metrics.
    pub(crate) async fn metrics(&self) -> String {
        self.get("/metrics").await.text().await.unwrap()
    }

    /// Its port if it was set up with HTTPS.
    pub(crate) fn https_port(&self) -> u16 {
        self.setup.https_port
    }

    /// All log lines so far.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Waits for a log line that contains this text.
    pub(crate) async fn logged(&self, text: &str) {
        let what = format!("`{text}` in the log");
        eventually(&what, async || self.log().contains(text)).await;
    }

    /// The directory with its files, to change them while it runs.
    pub(crate) fn files(&self) -> &Setup {
        &self.setup
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) async fn terminate(mut self) -> Ended {
        let process = self.process.id().expect("the adapter still runs");
        let signal = Command::new("kill")
            .args(["-TERM", &process.to_string()])
            .status()
            .await
            .unwrap();
        assert!(signal.success());
        let status = self.ended().await;
        // The rest of its log, to the end of the pipe.
        (&mut self.reading).await.unwrap();
        Ended {
            code: status.code(),
            stdout: String::new(),
            stderr: self.log(),
        }
    }

    async fn ended(&mut self) -> ExitStatus {
        let status = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        status.expect("the adapter ends").unwrap()
    }

    /// The address of the line that says what is served.
    async fn served_url(&mut self) -> String {
        for _ in 0..3000 {
            if let Some(line) = self.log().lines().find(|line| line.contains("serving http")) {
                let (_, address) = line.split_once("http://").expect("plain HTTP is served");
                return format!("http://{}", address.trim());
            }
            if self.reading.is_finished() {
                panic!("the adapter ended at once:\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the adapter does not serve:\n{}", self.log());
    }
}

/// A run that came to its end.
pub(crate) struct Ended {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The log lines of a running program.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn read(&self, stderr: tokio::process::ChildStderr) -> JoinHandle<()> {
        let log = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut text = log.0.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
            }
        })
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}
