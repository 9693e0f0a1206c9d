"""What the desktop's own programs read: message bus, notification daemon, panel."""

BUS = """
<busconfig>
  <type>session</type><keep_umask/><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""
DUNST = """
[global]
    origin = top-right
    offset = 16x16
    width = 380
    height = 260
    corner_radius = 8
    frame_width = 1
    frame_color = "#3b4048"
    font = DejaVu Sans 10
    icon_theme = Adwaita
    max_icon_size = 40
    padding = 12
    horizontal_padding = 14
    mouse_left_click = do_action
    mouse_right_click = close_current
    show_indicators = no
    format = "<b>%s</b>\\n%b"
[urgency_normal]
    background = "#23272e"
    foreground = "#f1f3f5"
    timeout = 20
"""
DARK = """<property name="background-style" type="uint" value="1"/>
      <property name="background-rgba" type="array">
        <value type="double" value="0.12"/><value type="double" value="0.12"/>
        <value type="double" value="0.12"/><value type="double" value="1"/>
      </property>"""
PANEL_XML = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=10;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      {style}
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="icon-size" type="uint" value="24"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/><value type="int" value="2"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
"""
