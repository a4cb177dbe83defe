<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en">
<context>
    <name>Words</name>
    <message numerus="yes">
        <source>%n request(s) held</source>
        <translation>
            <numerusform>%n request held</numerusform>
            <numerusform>%n requests held</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n request(s) to go</source>
        <translation>
            <numerusform>%n request to go</numerusform>
            <numerusform>%n requests to go</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>belay::ui::DeviceActions</name>
    <message numerus="yes">
        <source>%n request(s) that are held will fail.</source>
        <translation>
            <numerusform>%n request that is held will fail.</numerusform>
            <numerusform>%n requests that are held will fail.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>belay::ui::Tray</name>
    <message numerus="yes">
        <source>%n device(s) need attention</source>
        <translation>
            <numerusform>%n device needs attention</numerusform>
            <numerusform>%n devices need attention</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) unplugged, waiting</source>
        <translation>
            <numerusform>%n device unplugged, waiting</numerusform>
            <numerusform>%n devices unplugged, waiting</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) in use</source>
        <translation>
            <numerusform>%n device in use</numerusform>
            <numerusform>%n devices in use</numerusform>
        </translation>
    </message>
</context>
</TS>
