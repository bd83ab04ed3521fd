//! Flags of prometheus-adapter that are accepted, checked, and have no effect here.
//!
//! Source: prometheus-adapter v0.12.0 and the options of k8s.io/apiserver and k8s.io/component-base it adds.

use super::flag::{Effect, Flag, Group};
use super::value::Kind;

pub(super) const GROUPS: &[Group] = &[
    Group {
        heading: "Accepted without effect: audit",
        flags: AUDIT,
    },
    Group {
        heading: "Accepted without effect: clients, listeners and features",
        flags: FEATURES,
    },
    Group {
        heading: "Accepted without effect: log",
        flags: LOG,
    },
];

const fn accepted(name: &'static str, kind: Kind, help: &'static str) -> Flag {
    Flag::new(name, kind, Effect::Nothing, help)
}

const AUDIT_MODE: Kind = Kind::OneOf(&["batch", "blocking", "blocking-strict"]);
const AUDIT_VERSION: Kind = Kind::OneOf(&["audit.k8s.io/v1"]);

const AUDIT: &[Flag] = &[
    accepted("audit-policy-file", Kind::Path, "Audit policy"),
    accepted("audit-log-path", Kind::Path, "Audit log"),
    accepted(
        "audit-log-format",
        Kind::OneOf(&["legacy", "json"]),
        "Form of the audit log, legacy or json",
    ),
    accepted("audit-log-version", AUDIT_VERSION, "Version of audit events"),
    accepted("audit-log-mode", AUDIT_MODE, "How audit events are written"),
    accepted("audit-log-maxage", Kind::Whole, "Days that audit logs are kept"),
    accepted("audit-log-maxbackup", Kind::Whole, "How many audit logs are kept"),
    accepted(
        "audit-log-maxsize",
        Kind::Whole,
        "Size of an audit log in megabytes",
    ),
    accepted("audit-log-compress", Kind::Boolean, "Compress old audit logs"),
    accepted(
        "audit-log-batch-buffer-size",
        Kind::Whole,
        "Audit events in the buffer",
    ),
    accepted("audit-log-batch-max-size", Kind::Whole, "Audit events in a batch"),
    accepted(
        "audit-log-batch-max-wait",
        Kind::Duration,
        "How long a batch waits",
    ),
    accepted("audit-log-batch-throttle-enable", Kind::Boolean, "Limit batches"),
    accepted("audit-log-batch-throttle-qps", Kind::Number, "Batches a second"),
    accepted("audit-log-batch-throttle-burst", Kind::Whole, "Batches at once"),
    accepted(
        "audit-log-truncate-enabled",
        Kind::Boolean,
        "Shorten audit events",
    ),
    accepted(
        "audit-log-truncate-max-batch-size",
        Kind::Whole,
        "Bytes in a batch",
    ),
    accepted(
        "audit-log-truncate-max-event-size",
        Kind::Whole,
        "Bytes in an audit event",
    ),
    accepted(
        "audit-webhook-config-file",
        Kind::Path,
        "Kubeconfig of the audit webhook",
    ),
    accepted("audit-webhook-version", AUDIT_VERSION, "Version of audit events"),
    accepted("audit-webhook-mode", AUDIT_MODE, "How audit events are sent"),
    accepted(
        "audit-webhook-initial-backoff",
        Kind::Duration,
        "Wait before the first retry",
    ),
    accepted(
        "audit-webhook-batch-buffer-size",
        Kind::Whole,
        "Audit events in the buffer",
    ),
    accepted(
        "audit-webhook-batch-max-size",
        Kind::Whole,
        "Audit events in a batch",
    ),
    accepted(
        "audit-webhook-batch-max-wait",
        Kind::Duration,
        "How long a batch waits",
    ),
    accepted(
        "audit-webhook-batch-throttle-enable",
        Kind::Boolean,
        "Limit batches",
    ),
    accepted(
        "audit-webhook-batch-throttle-qps",
        Kind::Number,
        "Batches a second",
    ),
    accepted(
        "audit-webhook-batch-throttle-burst",
        Kind::Whole,
        "Batches at once",
    ),
    accepted(
        "audit-webhook-truncate-enabled",
        Kind::Boolean,
        "Shorten audit events",
    ),
    accepted(
        "audit-webhook-truncate-max-batch-size",
        Kind::Whole,
        "Bytes in a batch",
    ),
    accepted(
        "audit-webhook-truncate-max-event-size",
        Kind::Whole,
        "Bytes in an audit event",
    ),
];

const FEATURES: &[Flag] = &[
    accepted(
        "authentication-tolerate-lookup-failure",
        Kind::Boolean,
        "Go on if the cluster's authentication settings cannot be read, which is done anyway",
    ),
    accepted(
        "discovery-interval",
        Kind::Duration,
        "How often resources are listed",
    ),
    accepted("client-qps", Kind::Number, "Requests a second to kube-apiserver"),
    accepted("client-burst", Kind::Whole, "Requests at once to kube-apiserver"),
    accepted(
        "permit-port-sharing",
        Kind::Boolean,
        "Share the port with other processes",
    ),
    accepted(
        "permit-address-sharing",
        Kind::Boolean,
        "Share the address with other processes",
    ),
    accepted("profiling", Kind::Boolean, "Serve profiles"),
    accepted("contention-profiling", Kind::Boolean, "Profile locks"),
    accepted("debug-socket-path", Kind::Path, "Socket that serves profiles"),
    accepted(
        "enable-priority-and-fairness",
        Kind::Boolean,
        "Queue requests by priority",
    ),
    accepted("feature-gates", Kind::Texts, "Features to turn on or off"),
];

const LOG: &[Flag] = &[
    accepted("vmodule", Kind::Texts, "How much is logged by source file"),
    accepted(
        "log-flush-frequency",
        Kind::Duration,
        "How often the log is flushed",
    ),
    accepted(
        "logtostderr",
        Kind::Boolean,
        "Log to stderr, which is done anyway",
    ),
    accepted(
        "alsologtostderr",
        Kind::Boolean,
        "Log to stderr too, which is done anyway",
    ),
    accepted("stderrthreshold", Kind::Text, "Least severity for stderr"),
    accepted("log-dir", Kind::Path, "Directory of log files"),
    accepted("log-file", Kind::Path, "Log file"),
    accepted(
        "log-file-max-size",
        Kind::Whole,
        "Size of a log file in megabytes",
    ),
    accepted("log-backtrace-at", Kind::Text, "Line at which to log a stack"),
    accepted(
        "add-dir-header",
        Kind::Boolean,
        "Log the directory of the source file",
    ),
    accepted("skip-headers", Kind::Boolean, "Log without headers"),
    accepted("skip-log-headers", Kind::Boolean, "Log files without headers"),
    accepted("one-output", Kind::Boolean, "Write each line to one place"),
    accepted(
        "log-text-split-stream",
        Kind::Boolean,
        "Part text logs by severity",
    ),
    accepted("log-text-info-buffer-size", Kind::Text, "Buffer of text logs"),
    accepted(
        "log-json-split-stream",
        Kind::Boolean,
        "Part JSON logs by severity",
    ),
    accepted("log-json-info-buffer-size", Kind::Text, "Buffer of JSON logs"),
];
