SUMMARY = "MJPEG cameras as RTP/JPEG streams"
DESCRIPTION = "Streams hardware-compressed MJPEG cameras as RTP/JPEG (RFC 2435), without decoding and without copying."
HOMEPAGE = "https://datatracker.ietf.org/doc/html/rfc2435"
SECTION = "multimedia"
# IJG: jpeg-encoder, which draws the demo pattern; the other crates in the program are MIT or Apache-2.0.
LICENSE = "(MIT | Apache-2.0) & IJG"
LIC_FILES_CHKSUM = "\
    file://LICENSE-MIT;md5=6f337cfc2b64f51ee8a5aada0d6c33df \
    file://LICENSE-APACHE;md5=22a53954e4e0ec258dfce4391e905dac \
    file://${COMMON_LICENSE_DIR}/IJG;md5=d9fc5ebaa95c14466091d25e0d34e688 \
"

require ${BPN}-crates.inc

# Tests and benches are not built, but cargo refuses a manifest whose targets and members are missing.
SRC_URI += "\
    file://Cargo.lock;subdir=${BP} \
    file://Cargo.toml;subdir=${BP} \
    file://LICENSE-APACHE;subdir=${BP} \
    file://LICENSE-MIT;subdir=${BP} \
    file://benches;subdir=${BP} \
    file://config.toml;subdir=${BP} \
    file://docs/man;subdir=${BP} \
    file://src;subdir=${BP} \
    file://systemd;subdir=${BP} \
    file://tests;subdir=${BP} \
"

# The sources lie beside the layer, not below the recipe.
# nooelint: oelint.vars.fileextrapaths,oelint.vars.outofcontext
FILESEXTRAPATHS:prepend := "${FRAMEWIRE_CHECKOUT}:"

inherit bash-completion cargo cargo-update-recipe-crates manpages systemd

PACKAGECONFIG ??= ""
# By the distribution's feature api-documentation.
PACKAGECONFIG[manpages] = ",,scdoc-native"

# The package classes split the symbols off; a program without any fails their checks.
export CARGO_PROFILE_RELEASE_STRIP = "false"

do_install:append() {
    install -D -m 0644 ${S}/config.toml ${D}${sysconfdir}/framewire/config.toml
    install -D -m 0644 ${S}/systemd/framewire.service ${D}${systemd_system_unitdir}/framewire.service
    install -D -m 0644 ${S}/systemd/framewire.sysctl.conf ${D}${nonarch_libdir}/sysctl.d/10-framewire.conf

    completions=${S}/systemd/completions
    install -D -m 0644 $completions/framewire.bash ${D}${datadir}/bash-completion/completions/framewire
    install -D -m 0644 $completions/_framewire ${D}${datadir}/zsh/site-functions/_framewire
    install -D -m 0644 $completions/framewire.fish ${D}${datadir}/fish/vendor_completions.d/framewire.fish

    if ${@bb.utils.contains('PACKAGECONFIG', 'manpages', 'true', 'false', d)}; then
        install -d ${D}${mandir}/man1 ${D}${mandir}/man5
        scdoc < ${S}/docs/man/framewire.1.scd > ${D}${mandir}/man1/framewire.1
        scdoc < ${S}/docs/man/framewire.toml.5.scd > ${D}${mandir}/man5/framewire.toml.5
    fi
}

PACKAGE_BEFORE_PN += "${PN}-zsh-completion ${PN}-fish-completion"

SYSTEMD_SERVICE:${PN} = "framewire.service"

FILES:${PN}-zsh-completion += "${datadir}/zsh"
FILES:${PN}-fish-completion += "${datadir}/fish"
FILES:${PN} += "${nonarch_libdir}/sysctl.d"
CONFFILES:${PN} = "${sysconfdir}/framewire/config.toml"
