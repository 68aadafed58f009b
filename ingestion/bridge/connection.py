"""One connection to the broker: opens it, reads messages a group at a time, and acknowledges them. Keeps nothing.

The session is the broker's and outlives the connection: it holds the subscriptions and what is not acknowledged. So the
bridge subscribes only where the broker has no session or its topics have changed. Retained messages, which a broker
sends at every subscription, thus arrive once per session.
Nothing is read ahead of a group. While a group waits for the spool, the messages behind it stay with the broker.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt import MQTTException
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingestion.bridge.errors import BrokerError
from ingestion.bridge.settings import ENVIRONMENT_PREFIX, BridgeSettings
from ingestion.errors import SettingsError

ANSWER_SECONDS = 10.0  # in which a broker must have answered a connection and a subscription
LEAVE_SECONDS = 2.0  # the same for a farewell
LASTING_SECONDS = 10.0  # a connection that held so long was good
SLICE_SECONDS = 0.5  # how long one wait may last before the stop is looked at
_NEVER_SUBSCRIBED = "floorhouse/bridge/farewell"
_NO_SUCH_VERSION = "Unsupported protocol version"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `topic` is None if it is no UTF-8; `mid` is the number by which it is acknowledged."""

    topic: str | None
    payload: bytes
    qos: int
    mid: int
    is_retained: bool = False
    is_repeated: bool = False


class Connection:
    """A connection that `open` makes and a `BrokerError` ends. It is used once."""

    def __init__(self, settings: BridgeSettings, context: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._is_5 = settings.mqtt_version == "5"
        self._read: list[Message] = []
        self._read_bytes = 0
        self._has_session: bool | None = None  # None: not connected yet
        self._granted: list[Any] | None = None
        self._lost: str | None = None
        self._opened_at = time.monotonic()
        self._is_unsubscribed = False
        self._client = self._new_client(context)

    def open(self, filters: Sequence[str], known: Sequence[str], stop: threading.Event) -> None:
        """Connect, and subscribe to `filters` where the broker's session has not just them; `known` is what it had.

        Raises:
            BrokerError: the broker cannot be reached or refuses.
        """
        where = self._settings.broker_url
        options: dict[str, Any] = {}
        if self._is_5:
            session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            session.SessionExpiryInterval = self._settings.session_expiry_seconds
            session.ReceiveMaximum = self._settings.receive_maximum
            options = {"clean_start": False, "properties": session}
        try:
            self._client.connect(self._settings.host, self._settings.port, self._settings.keepalive_seconds, **options)
        except (OSError, ValueError) as error:
            reason = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
            raise BrokerError(f"The broker {where} cannot be reached: {reason}.") from error
        self._wait(lambda: self._has_session is not None, "a connection", stop)
        if self._has_session and sorted(filters) == sorted(known):
            return
        if gone := sorted(set(known) - set(filters)) if self._has_session else []:
            self._client.unsubscribe(gone)
            self._wait(lambda: self._is_unsubscribed, "the end of a subscription", stop)
        wanted: list[tuple[str, Any]] = [(one, 1) for one in filters]
        if self._is_5:
            wanted = [(one, SubscribeOptions(qos=1, retainHandling=1)) for one in filters]
        self._client.subscribe(wanted)
        self._wait(lambda: self._granted is not None, "a subscription", stop)
        for one, granted in zip(filters, self._granted or [], strict=False):
            if granted.is_failure:
                raise BrokerError(f"The broker {where} refuses the topic {one}: {granted}.")

    def gather(self, seconds: float) -> list[Message]:
        """The messages that are there, after at most `seconds` of waiting for the first; at most a group.

        Raises:
            BrokerError: the connection is lost. Messages that were read before are lost with it, and sent again.
        """
        if not self._read:
            self._wait_for_bytes(seconds)
        while len(self._read) < self._settings.receive_maximum and self._read_bytes < self._settings.group_bytes:
            before = len(self._read)
            self._pump()
            if len(self._read) == before:
                break
        gathered, self._read, self._read_bytes = self._read, [], 0
        return gathered

    def keep(self) -> None:
        """Tell the broker that the bridge is there, without reading.

        Raises:
            BrokerError: the connection is lost.
        """
        self._client.loop_misc()
        self._raise_if_lost()

    def acknowledge(self, messages: Iterable[Message]) -> None:
        """Acknowledge messages of this connection. If the connection is lost, the broker sends them again."""
        with self._corked():
            for message in messages:
                if message.qos:
                    self._client.ack(message.mid, message.qos)

    def close(self) -> None:
        """Leave the broker, which keeps the session, after it has read the acknowledgements.

        A broker that finds the connection closed may throw away what it has not read. It reads in order: once it has
        answered something harmless, it knows what was acknowledged before.
        """
        self._is_unsubscribed = False
        with suppress(BrokerError):
            self._client.unsubscribe(_NEVER_SUBSCRIBED)
            self._wait(lambda: self._is_unsubscribed, "a farewell", threading.Event(), LEAVE_SECONDS)
        self._client.disconnect()

    def _new_client(self, context: ssl.SSLContext | None) -> mqtt.Client:
        settings = self._settings
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=None if self._is_5 else False,
            protocol=mqtt.MQTTv5 if self._is_5 else mqtt.MQTTv311,
            reconnect_on_failure=False,  # else paho would go on with an older version than the setting
            manual_ack=True,
        )
        client.connect_timeout = ANSWER_SECONDS
        if settings.user:
            client.username_pw_set(settings.user, settings.secret)
        if context is not None:
            client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = lambda _client, _data, _mid, granted, _properties: self._note_granted(granted)
        client.on_unsubscribe = lambda *_: self._note_unsubscribed()
        return client

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if not reason.is_failure:
            self._has_session = bool(flags.session_present)
            return
        advice = "" if str(reason) != _NO_SUCH_VERSION else f"; set {ENVIRONMENT_PREFIX}MQTT_VERSION to another one"
        self._lost = f"The broker {self._settings.broker_url} refuses the bridge: {reason}{advice}."

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self._lost is not None:
            return
        where, name = self._settings.broker_url, str(reason)
        if self._has_session is None and self._is_5:
            name += f"; a broker without MQTT 5 needs {ENVIRONMENT_PREFIX}MQTT_VERSION=3.1.1"
        elif self._has_session is not None and time.monotonic() - self._opened_at < LASTING_SECONDS:
            name += f"; it was short, so look whether another client has the name {self._settings.client_id}"
        self._lost = f"The connection to the broker {where} ended: {name}."

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic: str | None = message.topic
        except UnicodeDecodeError:
            topic = None
        self._read.append(Message(topic, message.payload, message.qos, message.mid, message.retain, message.dup))
        self._read_bytes += len(message.payload)

    def _note_granted(self, granted: list[Any]) -> None:
        self._granted = granted

    def _note_unsubscribed(self) -> None:
        self._is_unsubscribed = True

    @contextmanager
    def _corked(self) -> Iterator[None]:
        """Send what is written within the block in as few packets as possible, where the system can do that."""
        connected: Any = self._client.socket()
        if connected is None or not hasattr(socket, "TCP_CORK"):
            yield
            return
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        try:
            yield
        finally:
            with suppress(OSError):  # closed within
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    def _wait(
        self, is_done: Callable[[], bool], what: str, stop: threading.Event, seconds: float = ANSWER_SECONDS
    ) -> None:
        until = time.monotonic() + seconds
        while not is_done():
            left = until - time.monotonic()
            if left <= 0 or stop.is_set():
                raise BrokerError(
                    f"The broker {self._settings.broker_url} did not answer the wish for {what} within {seconds:g} s."
                )
            self._wait_for_bytes(min(left, SLICE_SECONDS))
            self._pump()

    def _wait_for_bytes(self, seconds: float) -> None:
        """Wait until there is something to read, and write what is left to write."""
        self.keep()
        connected: Any = self._client.socket()
        if isinstance(connected, ssl.SSLSocket) and connected.pending():
            return
        poll = select.poll()
        poll.register(connected, select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        poll.poll(seconds * 1000)
        if self._client.want_write():
            self._client.loop_write()
            self._raise_if_lost()

    def _pump(self) -> None:
        """Read one packet, if a whole one is there."""
        try:
            self._client.loop_read()
        except (struct.error, MQTTException, ValueError, IndexError, KeyError) as error:
            raise BrokerError(f"The broker {self._settings.broker_url} sent what is no MQTT: {error}.") from error
        self._raise_if_lost()

    def _raise_if_lost(self) -> None:
        if self._lost is not None:
            raise BrokerError(self._lost)


def tls_context(settings: BridgeSettings) -> ssl.SSLContext | None:
    """What the connection's encryption rests on; None without TLS.

    Raises:
        SettingsError: a file holds no certificate or no key.
    """
    if not settings.is_encrypted:
        return None
    try:
        context = ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{ENVIRONMENT_PREFIX}CA_FILE is {str(settings.ca_file)!r}; allowed: a file of certificates in PEM form."
        ) from error
    if settings.client_certificate_file is not None:
        try:
            # The pass phrase is empty: OpenSSL would ask for one on the terminal.
            context.load_cert_chain(settings.client_certificate_file, settings.client_key_file, password="")
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{ENVIRONMENT_PREFIX}CLIENT_CERTIFICATE_FILE is {str(settings.client_certificate_file)!r} and "
                f"{ENVIRONMENT_PREFIX}CLIENT_KEY_FILE {str(settings.client_key_file)!r}; allowed: a certificate and "
                "its key in PEM form, without a pass phrase."
            ) from error
    return context
