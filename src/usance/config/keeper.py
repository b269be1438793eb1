"""The keeper: reads "+group" and "-group" lines from its input; when that closes, ends every group it still knows.

Started by `usance.config.processes.Keeper`; its input closes when the supervisor ends, however it ends.
"""

from __future__ import annotations

import signal
import sys

from usance.config.processes import end_groups


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    end_groups(sorted(groups), patience_s=3.0)


if __name__ == "__main__":
    main()
