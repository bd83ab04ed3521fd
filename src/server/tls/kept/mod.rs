//! Serving certificates of the adapters' own: a certificate authority kept in a Secret, trusted by kube-apiserver
//! through the APIServices, and a certificate that each adapter signs for itself.
//!
//! `rotation` decides what is next, `keeper` does it, `authorities` is what the Secret holds, `authority` makes and
//! signs certificates.

mod authorities;
mod authority;
mod keeper;
mod rotation;

pub(in crate::server) use keeper::Keeper;
