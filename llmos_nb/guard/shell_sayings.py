"""Words in the arguments of single programs that object, as data: what they print, keep, serve, send, install and end."""

from __future__ import annotations

from typing import Final

__all__ = ["SAYINGS"]

_SPEC = tuple[str, str, str]
#: Programs, what is searched in their arguments (joined by blanks), and the rule that objects to it.
SAYINGS: Final[tuple[_SPEC, ...]] = (
    # Credentials, printed by programs that keep them
    ("gcloud", r"auth (application-default )?print-|secrets versions access", "secret-variable"),
    ("aws", r"configure (get|export)|(^| )(get-secret-value|get-parameters?\b.*--with-decryption|get-session-token"
            r"|get-login-password|assume-role|get-authorization-token|export-credentials)"
                r"|create-access-key", "secret-variable"),
    ("az", r"get-access-token|keyvault secret (show|download)|keys list|list-keys"
     r"|show-connection-string", "secret-variable"),
    ("kubectl oc", r"\b(get|describe|edit)\b.*\bsecrets?\b|config view.*--raw|create token", "secret-variable"),
    ("vault", r"\b(kv get|read|token|unwrap|login)\b", "secret-variable"),
    ("op", r"\b(read|inject|run|item get|document get)\b", "secret-variable"),
    ("bw lpass rbw gopass pass keyring doppler chamber sops credstash aws-vault", r"\b(get|show|export|ls -l|list"
     r"|run|exec|secrets"
     r"|read|decrypt|-d|insert|rm|generate|edit)\b", "secret-variable"),
    ("heroku", r"\bconfig\b|auth:token", "secret-variable"),
    ("flyctl fly doctl netlify vercel railway", r"\bauth (token|list)|env (pull|get|ls)|tokens? "
     r"|variables", "secret-variable"),
    ("npm yarn pnpm", r"^token\b|config get .*(auth|token)|config (ls|list) .*-l", "secret-variable"),
    ("docker podman", r"\binspect\b.*(\.Config\b|\.Env\b)", "secret-variable"),
    ("terraform tofu", r"\boutput\b.*-(raw|json)|state (pull|show)", "secret-variable"),
    ("ps", r"^-?[a-zA-Z]*e[a-zA-Z]*(w|ww)\b.*|^-?aux\w*e|^-?[a-df-z]*e[wv]", "secret-variable"),
    ("jq gojq", r"\$ENV\b|(^|[|(\s])env\b", "secret-variable"),
    ("awk gawk mawk nawk", r"\bENVIRON\s*(\)|\[(?!\s*\x22(?:HOME|USER|LANG|PWD|PATH|SHELL|TERM|LC_\w+"
     r"|TZ)\x22))", "secret-variable"),
    ("xclip xsel pbpaste wl-paste", r"(-o\b|--output|^$)", "secret-variable"),
    ("screencapture scrot import gnome-screenshot", r"", "secret-variable"),
    # Settings that other programs, or the next start of this one, will follow
    ("pip pip3 conda mamba npm yarn pnpm poetry cargo gem bundle dvc gh glab", r"^config\b(?!.*\b(list|get|ls|debug"
     r"|show|describe"
     r"|--show\S*|--list|--get)\b).*\S", "tool-settings"),
    ("jupyter jupyter-lab jupyter-notebook jupyter-server", r"--generate-config|extension (enable|disable|install"
     r"|uninstall|update|link)"
     r"|kernelspec (install|remove|uninstall)|\bpassword\b|trust\b", "tool-settings"),
    ("ipython ipython3", r"profile create|kernel install|--install", "tool-settings"),
    ("ipykernel jupyterlab", r"\binstall\b", "tool-settings"),
    ("code codium", r"--install-extension|--uninstall-extension|--add-mcp", "tool-settings"),
    ("defaults", r"\b(write|delete|import|rename)\b", "system-settings"),
    ("dscl", r"-(create|delete|append|merge|change\w*|passwd|authonly)", "system-settings"),
    ("profiles mdutil tmutil softwareupdate networkQuality", r"\b(install|remove|renew|delete\w*|disable\w*"
     r"|enable\w*|restore|"
     r"startbackup|stopbackup|set\w*|addexclusion|removeexclusion|-[iEd])\b", "system-settings"),
    ("gsettings dconf xdg-settings xdg-mime", r"\b(set|write|reset|load|default|install)\b", "system-settings"),
    ("update-alternatives alternatives", r"--(set|install|remove|config|auto)", "system-settings"),
    ("busctl dbus-send gdbus", r"(?i)power|reboot|halt|suspend|hibernate|login1", "power"),
    ("busctl dbus-send gdbus", r"\bcall\b|set-property|--type=method_call|--dest", "system-settings"),
    ("rtcwake", r"", "power"),
    ("osascript", r"(?i)shut ?down|restart|log ?out|\bsleep\b", "power"),
    ("osascript", r"^(?!--help)", "code-effect"),
    ("open xdg-open start gnome-open kde-open wslview", r"\.(command|desktop|app|sh|exe|bat|ps1|jar|terminal"
     r"|workflow|scpt|dmg|pkg|deb|"
     r"rpm|py|msi|scr|js|vbs)\b|(^| )-[aAbn]", "code-effect"),
    ("xattr", r"(^| )-[a-z]*[dwc]", "permissions"),
    ("chcon chflags setfattr restorecon icacls takeown attrib cacls", r"", "permissions"),
    ("screen", r"-X\b", "process"),
    ("tmux", r"kill-", "process"),
    ("fuser", r"(^| )-\w*k", "process"),
    ("renice chrt prlimit", r"(^| )(-n|-p|--pid)", "process"),
    ("lldb gdb", r"(^| )(-p|attach|--attach|-ex|-x|--command)", "process"),
    ("wmctrl xdotool ydotool", r"", "process"),
    ("supervisorctl pm2 forever", r"\b(stop\w*|restart\w*|delete|kill|start|shutdown|reload|flush)\b", "system-settings"),
    ("journalctl", r"--(vacuum|rotate|flush|relinquish)", "system-settings"),
    ("smartctl", r"(^| )(-s|--smart|-t|--test|-o|-S)\b", "disk"),
    ("ffmpeg avconv", r"-f (avfoundation|x11grab|dshow|v4l2|alsa|pulse|gdigrab|kmsgrab|jack)\b", "secret-variable"),
    ("ssh-add", r"^(?!(-l|-L|-T|-h)\b)", "secret"),
    # Servers and carriers
    ("php", r"(^| )-S", "connect"),
    ("ruby", r"-run -e httpd", "connect"),
    ("jupyter jupyter-lab jupyter-notebook streamlit gradio bokeh panel voila mlflow tensorboard uvicorn gunicorn flask "
     "hypercorn", r"--(ip|host|server\.address|address|bind)[= ](?!127\.0\.0\.1|localhost|::1)|--share\b", "connect"),
    ("serve http-server live-server localtunnel lt bore frpc tailscale zerotier-cli wg wg-quick openvpn autossh sshuttle "
     "websocat grpcurl mosquitto_pub redis-server iperf iperf3 masscan hping3 dnscat2 iodine stunnel proxytunnel corkscrew "
     "xh httpie nc6 cryptcat pwncat gost rtmpdump", r"^(?!(--help|--version|status)$)", "connect"),
    ("ffmpeg", r"(^| )(rtmps?|rtp|udp|tcp|srt|icecast|https?|ftp|sftp)://\S+$", "upload"),
    ("openssl", r"\b(s_time|ocsp -url|cmp)\b", "connect"),
    ("lynx w3m links", r"-post_data|-cmd_script|-post\b", "upload"),
    ("huggingface-cli hf", r"\b(upload|login|repo create|delete-cache|delete)\b", "upload"),
    ("kaggle", r"\b(create|submit|push|version)\b", "upload"),
    ("dvc", r"\b(push)\b", "upload"),
    ("dvc", r"\b(gc|destroy|remove)\b", "delete-broad"),
    ("wandb mlflow", r"\b(sync|login|artifact put|gc|delete)\b", "upload"),
    ("restic borg duplicity rdiff-backup kopia tarsnap duplicacy", r"(^| )(backup|create|forget|prune|delete|restore"
     r"|extract|init|unlock|rewrite|migrate|repair|copy|mount|remove-\S+|key (add|remove|passwd)|-[cdx]|connect)( |$)",
     "upload"),
    ("vercel now", r"^(?!.*(--help|--version|\b(list|ls|inspect|logs|whoami|dev|build)\b))", "upload"),
    ("rsnapshot", r"^(?!.*(-t|configtest|du|diff))", "write-outside"),
    # Code
    ("go", r"^(install|get)\b|^run\b.*@|^generate\b|^env -w|^clean -(mod)?cache", "install"),
    ("dotnet", r"\b(add|install|tool|script|run)\b", "install"),
    ("deno", r"\b(install|upgrade|compile|task)\b", "install"),
    ("rustup nvm pyenv asdf mise sdk fnm volta rbenv", r"\b(install|uninstall|update|self|default|use|global|remove"
     r"|exec|shell|run|x)\b",
     "install"),
    ("composer bundle mix rebar3 opam stack cabal mvn gradle", r"\b(install|update|require|remove|add|global|exec"
     r"|deps|deploy|"
     r"publish|upload)\b", "install"),
    ("mysql mariadb", r"(^| |')(\\!|system|source|tee|pager|\\\.|\\T|\\P)\s", "database"),
    ("mysqladmin pg_restore pg_dropcluster createdb dropuser createuser pg_ctl mongorestore mysqlimport", r"", "database"),
    ("mongosh mongo", r"(drop|remove|delete|insert|update|rename|shutdown|eval\w*\()\w*", "database"),
    ("psql", r"(^| )(-f|--file)", "database"),
    ("alembic flask rails rake prisma liquibase flyway knex sequelize typeorm diesel dbmate sqitch", r"\b(downgrade|drop\S*"
     r"|reset|clean|rollback\S*|revert|undo)\b", "database"),
    ("streamlit", r"\brun (https?|ftp):", "download-run"),
    ("gnuplot", r"\bsystem\b|`|popen|(^| )-e\b.*\b(output|shell|!)", "code-effect"),
    ("w3m links elinks irb pry nano joe micro emacs emacsclient gvim", r"--eval|-f \w|--batch|--script|-l ", "code-effect"),
    ("ctags cscope doxygen", r"--options=|-_script", "code-effect"),
    ("tcpdump", r"(^| )-z", "code-effect"),
    ("logrotate run-parts cron anacron incrond fcron", r"", "schedule"),
    ("loginctl", r"enable-linger|terminate|kill|poweroff|reboot", "system-settings"),
    ("newgrp sudoreplay runcon polkit dzdo run0 super calife", r"", "privilege"),
    ("ddrescue nwipe partclone testdisk photorec extundelete flashrom fwupdmgr", r"", "disk"),
    ("qemu-img", r"\b(convert|create|resize|commit|rebase)\b.*/dev/", "disk"),
    ("make gmake ninja", r"(^| )(un)?install\b", "install"),
    ("easy_install cpan cpanm guix nix nix-shell nix-env luarocks npx bunx pipx", r"^(?!--version$|--help$|list\b"
     r"|search\b)\S",
     "install"),
    ("flatpak snap", r"\brun\b", "install"),
    ("npm yarn pnpm bun", r"^(i|in|ins|isntall|add|ci|it|un|r|up|x|dlx|pkg set|set-script)\b", "install"),
    ("conda mamba micromamba", r"\benv (create|remove|update)\b", "install"),
    ("r", r"\bCMD (INSTALL|REMOVE|BATCH)\b", "install"),
    ("python python3", r"setup\.py (install|develop|upload|register)\b", "install"),
    ("pre-commit husky lefthook overcommit", r"\b(install|uninstall|init|add|set)\b", "git-code"),
    ("e2label eject tune2fs ntfslabel fatlabel swaplabel growpart resize2fs xfs_growfs xfs_repair "
     "btrfs-convert", r"\S", "disk"),
    ("gcore strace ltrace perf bpftrace dtrace dtruss", r"^\d+$|(^| )(-p|--pid)", "process"),
    ("jupyter jupyter-lab jupyter-notebook jupyter-server", r"\bstop\b", "process"),
    ("install", r"(^| )(-m|--mode)[= ]?\d*[2367]\b|-m ?[4267]\d{3}\b", "permissions"),
    ("kafka-console-producer kcat kafkacat nats redis-benchmark amqp-publish s3cmd mc azcopy ftpput "
     "ncftpput", r"\S", "upload"),
    ("git-lfs", r"\b(prune|migrate|install|uninstall)\b", "git-history"),
    ("svn hg bzr fossil", r"\b(revert|update -C|strip|rollback|purge|push|commit|delete|rm|remove|relocate|switch"
     r"|checkout -f)\b",
     "git-discard"),
)  # fmt: skip
