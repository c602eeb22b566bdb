"""Other people's recommenders by name, each as its handbook says. Every one gets the same matrix, and answers with a score for each song.

A name begins with that of its library, and that says in which environment it lives (``peers_environments``). Libraries are imported where
they are used: the list of peers can be read where none is installed.
"""

from __future__ import annotations

from scripts import peers_cornac, peers_implicit, peers_lenskit, peers_lightfm, peers_rectools, peers_sansa, peers_textbook
from scripts.peers_task import Peer

PEERS: dict[str, Peer] = {
    **peers_textbook.PEERS,
    **peers_implicit.PEERS,
    **peers_lightfm.PEERS,
    **peers_cornac.PEERS,
    **peers_sansa.PEERS,
    **peers_lenskit.PEERS,
    **peers_rectools.PEERS,
}
