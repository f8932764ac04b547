#!/bin/sh
# Installs Fenghuo from this bundle, without a network: ./install.sh [FOLDER]   (FOLDER: /opt/fenghuo unless given)
# 从本安装包安装，不需要网络：./install.sh [文件夹]（默认 /opt/fenghuo）
# To use one Python of several 指定 Python：PYTHON=/usr/bin/python3 ./install.sh
set -eu

wanted=@PYTHON@
folder=${1:-/opt/fenghuo}
case $folder in /*) ;; *) folder=$PWD/$folder ;; esac
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python$wanted}

die() {
    echo "$*" >&2
    exit 1
}

cd "$here"
sha256sum --check --quiet SHA256SUMS || die "安装包不完整或被改动，没有安装。 / The bundle is not whole; nothing was done."

machine=$(uname -m)
[ "$machine" = arm64 ] && machine=aarch64
[ -d "wheels/$machine" ] || die "安装包里没有 $machine 的程序。 / This bundle has nothing for $machine."
command -v "$python" >/dev/null || die "没有找到 $python：本安装包用于 Python $wanted。 / $python is missing."
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$found" = "$wanted" ] || die "$python 是 $found，本安装包用于 Python $wanted。 / $python is $found, not $wanted."

# A new environment beside the old one, which is replaced only when the new one is whole.
making=$folder.installing
rm -rf "$making"
"$python" -m venv "$making" || die "无法建立 $making（Debian 需要 python3-venv）。 / No virtual environment."
pip() {
    PIP_CONFIG_FILE=/dev/null "$making/bin/python" -m pip --disable-pip-version-check --no-input "$@"
}
pip install --quiet --no-index --find-links "wheels/$machine" --no-deps --require-hashes \
    -r "requirements-$machine.lock" || die "安装失败，原来的没有改动。 / It failed; what was there is unchanged."
pip install --quiet --no-index --no-deps ./fenghuo-*.whl || die "安装失败。 / It failed."
cp -R doc fenghuo.service config.example.toml "$making/"

# An environment knows its own place: what was just proven to install is told where it stands now.
rm -rf "$folder.before"
[ -e "$folder" ] && mv "$folder" "$folder.before"
mv "$making" "$folder"
for file in "$folder"/pyvenv.cfg "$folder"/bin/*; do
    if [ -f "$file" ] && [ ! -L "$file" ] && grep -Iq "$making" "$file"; then
        sed -i "s|$making|$folder|g" "$file"
    fi
done
"$folder/bin/fenghuo" --version

cat <<END
已安装到 $folder；原来的（若有）在 $folder.before。接着 / next:
  useradd --system --home-dir /var/lib/fenghuo fenghuo
  install -d -o fenghuo -g fenghuo -m 0700 /etc/fenghuo
  cd /etc/fenghuo && runuser -u fenghuo -- $folder/bin/fenghuo init     # data = "/var/lib/fenghuo"
  runuser -u fenghuo -- $folder/bin/fenghuo check
  install -m 0644 $folder/fenghuo.service /etc/systemd/system/
  systemctl daemon-reload && systemctl enable --now fenghuo
END
