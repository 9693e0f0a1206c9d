"""A tray host that reads an icon's title once, when it registers, as LXQt's does; it prints it."""

from __future__ import annotations

import importlib.util

from tray.backend import toolkit

if importlib.util.find_spec("gi") is None:
    toolkit.borrow_gi()

from gi.repository import Gio, GLib

NAME = "org.kde.StatusNotifierWatcher"
XML = f"""
<node><interface name="{NAME}">
  <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
  <method name="RegisterStatusNotifierHost"><arg type="s" direction="in"/></method>
  <property name="RegisteredStatusNotifierItems" type="as" access="read"/>
  <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
  <property name="ProtocolVersion" type="i" access="read"/>
</interface></node>
"""
PROPERTIES = {
    "RegisteredStatusNotifierItems": GLib.Variant("as", []),
    "IsStatusNotifierHostRegistered": GLib.Variant("b", True),
    "ProtocolVersion": GLib.Variant("i", 0),
}


def called(bus, sender, path, face, method, args, invocation):
    invocation.return_value(None)
    item = args.unpack()[0]
    where = item if item.startswith("/") else "/StatusNotifierItem"
    asked = GLib.Variant("(ss)", ("org.kde.StatusNotifierItem", "Title"))
    properties = "org.freedesktop.DBus.Properties"

    def answered(bus, result):
        print(bus.call_finish(result).unpack()[0], flush=True)  # noqa: T201 - its answer

    bus.call(sender, where, properties, "Get", asked, None, 0, 10_000, None, answered)


def main():
    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    face = Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0]
    read = lambda *asked: PROPERTIES[asked[4]]  # noqa: E731 - what GIO calls for a property
    bus.register_object("/StatusNotifierWatcher", face, called, read, None)
    Gio.bus_own_name_on_connection(bus, NAME, Gio.BusNameOwnerFlags.NONE, None, None)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
