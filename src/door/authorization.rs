//! What an Authorization field says, taken apart. RFC 9110 11.4 (credentials), RFC 7616 3.4 (Digest), RFC 7617 2 (Basic).

use base64ct::{Base64, Encoding};

/// Most octets of what Basic carries, in base64: a name and a password, and much more.
const MAX_BASIC: usize = 1024;

/// Who somebody says to be, and how it can be checked.
#[derive(Debug, PartialEq, Eq)]
pub enum Authorization<'f> {
    Digest(Digest<'f>),
    Basic(Basic),
}

/// The answer to a challenge. The texts are hashed as they were sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Digest<'f> {
    pub name: &'f str,
    pub nonce: &'f str,
    pub uri: &'f str,
    pub response: &'f str,
    pub algorithm: Algorithm,
    /// Count and client's nonce; without them in the form of RFC 2069, which some clients answer with whatever they are
    /// asked.
    pub count: Option<(&'f str, &'f str)>,
}

/// How it is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Md5,
    Sha256,
}

/// A name and a password. Not to be logged.
#[derive(PartialEq, Eq)]
pub struct Basic {
    pub name: String,
    pub password: String,
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Basic")
    }
}

impl<'f> Authorization<'f> {
    /// What `field` says; `None` when it is nothing that was asked for.
    pub fn parse(field: &'f str) -> Option<Self> {
        let (scheme, rest) = field.trim().split_once(' ')?;
        if scheme.eq_ignore_ascii_case("Digest") {
            Some(Self::Digest(Digest::parse(rest)?))
        } else if scheme.eq_ignore_ascii_case("Basic") {
            Some(Self::Basic(Basic::parse(rest.trim())?))
        } else {
            None
        }
    }
}

impl<'f> Digest<'f> {
    fn parse(text: &'f str) -> Option<Self> {
        let mut fields = Fields::default();
        let mut rest = text;
        while let Some((key, value, next)) = parameter(rest)? {
            fields.set(key, value)?;
            rest = next;
        }
        let algorithm = match fields.algorithm {
            None => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let count = match fields.qop {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some((fields.nc?, fields.cnonce?)),
            Some(_) => return None,
        };
        Some(Self {
            name: fields.username?,
            nonce: fields.nonce?,
            uri: fields.uri?,
            response: fields.response?,
            algorithm,
            count,
        })
    }
}

/// The parameters that mean something.
#[derive(Default)]
struct Fields<'f> {
    username: Option<&'f str>,
    nonce: Option<&'f str>,
    uri: Option<&'f str>,
    response: Option<&'f str>,
    algorithm: Option<&'f str>,
    qop: Option<&'f str>,
    nc: Option<&'f str>,
    cnonce: Option<&'f str>,
}

impl<'f> Fields<'f> {
    /// `None` when `key` was there before: two readers could take either.
    fn set(&mut self, key: &str, value: &'f str) -> Option<()> {
        let place = match key.to_ascii_lowercase().as_str() {
            "username" => &mut self.username,
            "nonce" => &mut self.nonce,
            "uri" => &mut self.uri,
            "response" => &mut self.response,
            "algorithm" => &mut self.algorithm,
            "qop" => &mut self.qop,
            "nc" => &mut self.nc,
            "cnonce" => &mut self.cnonce,
            _ => return Some(()),
        };
        place.replace(value).is_none().then_some(())
    }
}

/// Key, value, and what follows.
type Parameter<'t> = (&'t str, &'t str, &'t str);

/// The first `key=value` or `key="value"` of `text`; `Some(None)` when there is none any more, `None` when it is none. A
/// backslash in quotes is in nothing that we ask for.
fn parameter(text: &str) -> Option<Option<Parameter<'_>>> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    if text.is_empty() {
        return Some(None);
    }
    let (key, rest) = text.split_once('=')?;
    let rest = rest.trim_start();
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => {
            let (value, rest) = quoted.split_once('"')?;
            (!value.contains('\\')).then_some((value, rest.trim_start()))?
        }
        None => {
            let end = rest.find(',').unwrap_or(rest.len());
            let (value, rest) = rest.split_at_checked(end)?;
            (value.trim_end(), rest)
        }
    };
    let is_end = rest.is_empty() || rest.starts_with(',');
    is_end.then_some(Some((key.trim_end(), value, rest)))
}

impl Basic {
    fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_BASIC {
            return None;
        }
        let octets = Base64::decode_vec(text).ok()?;
        let text = String::from_utf8(octets).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Self {
            name: name.to_owned(),
            password: password.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As RFC 7616 3.9.1 has it.
    const ANSWER: &str = "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
        algorithm=MD5, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
        cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
        response=\"8ca523f5e9506fed4657c9700eebdbec\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

    fn digest(field: &str) -> Option<Digest<'_>> {
        match Authorization::parse(field)? {
            Authorization::Digest(digest) => Some(digest),
            Authorization::Basic(_) => None,
        }
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let answer = digest(ANSWER).unwrap();
        assert_eq!(answer.name, "Mufasa");
        assert_eq!(answer.uri, "/dir/index.html");
        assert_eq!(answer.algorithm, Algorithm::Md5);
        assert_eq!(answer.response, "8ca523f5e9506fed4657c9700eebdbec");
        let (nc, cnonce) = answer.count.unwrap();
        assert!(nc == "00000001" && cnonce.ends_with("URZJ"));
    }

    #[test]
    fn clients_may_write_it_in_their_way() {
        let answer = digest(ANSWER).unwrap();
        for (from, to) in [
            ("Digest ", "digest   "),
            (", ", ","),
            (", ", " ,\t, "),
            ("=", " = "),
            ("algorithm=MD5", "algorithm=\"md5\""),
            ("algorithm=MD5, ", ""),
            ("qop=auth", "qop=\"auth\""),
            ("nc=00000001", "NC=\"00000001\""),
        ] {
            let odd = ANSWER.replace(from, to);
            assert_eq!(digest(&odd).as_ref(), Some(&answer), "{odd}");
        }
        let plain = ANSWER.replace("username=\"Mufasa\"", "username=Mufasa");
        assert_eq!(digest(&plain), Some(answer));
        let old = ANSWER.replace("qop=auth, ", "");
        assert_eq!(digest(&old).unwrap().count, None);
        let better = ANSWER.replace("MD5", "sha-256");
        assert_eq!(digest(&better).unwrap().algorithm, Algorithm::Sha256);
    }

    #[test]
    fn what_nobody_asked_for_is_nothing() {
        for (from, to) in [
            ("Digest ", "Bearer "),
            ("Digest ", "Digest"),
            ("qop=auth", "qop=auth-int"),
            ("algorithm=MD5", "algorithm=MD5-sess"),
            ("algorithm=MD5", "algorithm=SHA-512-256"),
            ("algorithm=MD5", "nonce=\"other\""),
            ("username=\"Mufasa\", ", ""),
            ("nc=00000001, ", ""),
            ("\"Mufasa\"", "\"Mufasa"),
            ("\"Mufasa\"", "\"Mu\\fasa\""),
            ("\"Mufasa\"", "\"Mufasa\"x"),
            ("algorithm=MD5", "algorithm"),
            ("algorithm=MD5", "\"algorithm\""),
        ] {
            let odd = ANSWER.replacen(from, to, 1);
            assert_ne!(odd, ANSWER);
            // Swallowed by the next parameter's name, which is then missing.
            assert_eq!(digest(&odd), None, "{odd}");
        }
        for end in 0..ANSWER.len() {
            let _ = digest(ANSWER.split_at(end).0);
        }
        for odd in [
            "",
            " ",
            "Digest",
            "Digest ",
            "Digest =",
            "Digest =\"",
            "Digest ,,,=,=\"\"",
        ] {
            assert_eq!(Authorization::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_name_and_a_password_are_told_apart() {
        let basic = |text: &str| match Authorization::parse(text)? {
            Authorization::Basic(basic) => Some((basic.name, basic.password)),
            Authorization::Digest(_) => None,
        };
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        // RFC 7617 2.
        let example = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        assert_eq!(basic(example), pair("Aladdin", "open sesame"));
        assert_eq!(basic("basic YTo6Yg=="), pair("a", ":b"));
        assert_eq!(basic("Basic Og=="), pair("", ""));
        // "a:" and much more.
        let long = format!("Basic YTpi{}", "QUFB".repeat(500));
        for wrong in [
            "Basic",
            "Basic ",
            "Basic QQ==",
            "Basic QWxh*",
            "Basic //86",
            &long,
        ] {
            assert_eq!(basic(wrong), None, "{wrong}");
        }
    }
}
