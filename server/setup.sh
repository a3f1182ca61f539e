# setup.sh - what a machine needs before brasa can be built; sourced, not run.
#
# server/run and tests/run are the two commands of the README and have to work
# on a Debian 12 that holds git and gcc only, as well as on a developer's machine
# where everything is there and nothing may be touched. So every need is asked
# for by what it gives (a command, a library that pkg-config knows, a file), and
# apt is called once, for what was found missing, or not at all.
#
# node and npm are needs of their own: some nodes bring their npm, and beside
# those Debian's npm cannot be installed. Whoever wants them decides what it
# means not to get them.

export DEBIAN_FRONTEND=noninteractive

gun_version=0.2020.1241
# SHA-512 of the package's archive: pages load /gun.js and /sea.js from here.
gun_sha512=ae61aa2ee263e1f02e67fd2575d0af5c76c434f9049c1381629abe9171ebc10e5174db50e69d08a3df650f5a945cc166b7035a710fe2aa8dd54e68e633201866

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
has_library() { have pkg-config && pkg-config --exists "$1"; }
has_file() { compgen -G "$1" >/dev/null; }

missing=()

# need PACKAGE TEST...: notes the Debian package if the test fails.
need() {
    local package=$1
    shift
    "$@" || missing+=("$package")
}

needs_of_the_build() {
    need gcc have cc
    need libc6-dev has_file /usr/include/stdio.h
    need cmake have cmake
    need ninja-build have ninja
    need pkg-config have pkg-config
    need libwebsockets-dev has_library libwebsockets
    need libwebsockets-evlib-ev has_file '/usr/lib/*/libwebsockets-evlib_ev.so'
    need libev-dev has_file /usr/include/ev.h
    need libsodium-dev has_library libsodium
    need liblmdb-dev has_library lmdb
    need uthash-dev has_file /usr/include/uthash.h
    need libssl-dev has_library libcrypto
}

# Runs a command as root: as we are, or by sudo, which may ask only a person.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo && [ -t 0 ]; then
        sudo "$@"
    elif have sudo; then
        sudo -n "$@"
    else
        return 1
    fi
}

apt_updated=

# apt_install PACKAGE...: fails when apt is missing, is not allowed to us, or has no such package.
apt_install() {
    have apt-get || return 1
    if [ -z "$apt_updated" ]; then
        as_root apt-get -q update >&2 || return 1
        apt_updated=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
        -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" >&2
}

# Installs what need() noted, or says what to install.
install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing: ${missing[*]}"
    apt_install "${missing[@]}" ||
        fail "cannot install what is missing; as root: apt-get install ${missing[*]}"
    missing=()
}

# True when npm can be called afterwards. Each is installed only if its command
# is missing, and apart from the other.
npm_at_hand() {
    have node || apt_install nodejs || return 1
    have npm || apt_install npm || return 1
    npm --version >/dev/null 2>&1
}

# fetch_gun ROOT: the files of the npm package as ROOT/build/assets/gun, where the
# server looks for them. Fails without a trace.
fetch_gun() {
    local assets=$1/build/assets scratch
    [ -e "$assets/gun/gun.js" ] && return 0
    npm_at_hand || return 1
    mkdir -p "$assets"
    scratch=$(mktemp -d "$assets/fetch.XXXXXX")
    if npm pack --silent --pack-destination "$scratch" "gun@$gun_version" >/dev/null 2>&1 </dev/null &&
        printf '%s  %s\n' "$gun_sha512" "$scratch/gun-$gun_version.tgz" | sha512sum --check --status &&
        tar -xzf "$scratch/gun-$gun_version.tgz" -C "$scratch" --no-same-owner &&
        mv -T "$scratch/package" "$assets/gun"; then
        rm -rf "$scratch"
    else
        rm -rf "$scratch"
        return 1
    fi
}
