<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de">
<context>
    <name>EventWords</name>
    <message>
        <source>%1, by user %2</source>
        <extracomment>Something that was asked for, and the number of who did, e.g. &quot;Stop, by user 1000&quot;</extracomment>
        <translation>%1, durch Benutzer %2</translation>
    </message>
    <message>
        <source>“%1” cannot be lent</source>
        <extracomment>%1 is the name of a file</extracomment>
        <translation>„%1“ kann nicht verliehen werden</translation>
    </message>
    <message>
        <source>A new service has taken over</source>
        <translation>Ein neuer Dienst hat übernommen</translation>
    </message>
    <message>
        <source>Plugged in at port %1</source>
        <extracomment>%1 is a USB port, such as 1-2</extracomment>
        <translation>An Anschluss %1 eingesteckt</translation>
    </message>
    <message>
        <source>Unplugged</source>
        <translation>Ausgesteckt</translation>
    </message>
    <message>
        <source>Attach “%1”</source>
        <extracomment>%1 is the label of a disk that the gadget shares</extracomment>
        <translation>„%1“ anbinden</translation>
    </message>
    <message>
        <source>Lend “%1”</source>
        <extracomment>%1 is the name of a file</extracomment>
        <translation>„%1“ verleihen</translation>
    </message>
    <message>
        <source>Lend “%1”, read-only</source>
        <translation>„%1“ nur lesbar verleihen</translation>
    </message>
    <message>
        <source>Attach everything automatically</source>
        <translation>Alles automatisch anbinden</translation>
    </message>
    <message>
        <source>Attach nothing automatically</source>
        <translation>Nichts automatisch anbinden</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Vergessen</translation>
    </message>
    <message>
        <source>Recover</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>Go on without the lost data</source>
        <translation>Ohne die verlorenen Daten weitermachen</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Force stop</source>
        <translation>Anhalten erzwingen</translation>
    </message>
    <message>
        <source>If unplugged: %1</source>
        <extracomment>%1 is what is to happen while the gadget is unplugged, such as &quot;Keep waiting&quot;</extracomment>
        <translation>Wenn ausgesteckt: %1</translation>
    </message>
    <message>
        <source>Read the partition table again</source>
        <translation>Partitionstabelle neu lesen</translation>
    </message>
    <message>
        <source>The service for this gadget has ended</source>
        <translation>Der Dienst für dieses Gadget hat sich beendet</translation>
    </message>
</context>
<context>
    <name>Format</name>
    <message>
        <source>%1/s</source>
        <extracomment>A speed: %1 is a size such as 3.2 MB</extracomment>
        <translation>%1/s</translation>
    </message>
    <message>
        <source>%1 ms</source>
        <translation>%1 ms</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 s</translation>
    </message>
</context>
<context>
    <name>Gadget</name>
    <message>
        <source>Gadget at port %1</source>
        <extracomment>A gadget that gives neither a name nor a serial number; %1 is a USB port such as 1-2.3</extracomment>
        <translation>Gadget an Anschluss %1</translation>
    </message>
</context>
<context>
    <name>Program</name>
    <message>
        <source>Disks over a USB cable that survive the cable being pulled.</source>
        <translation>Datenträger über ein USB-Kabel, die es überstehen, wenn das Kabel gezogen wird.</translation>
    </message>
    <message>
        <source>Starts in the tray, without a window if there is a tray.</source>
        <translation>Startet im Systemabschnitt, ohne Fenster, wenn es einen gibt.</translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message>
        <source>%1 · %2</source>
        <extracomment>A state and what is behind it, e.g. &quot;Ready · safe to unplug&quot;</extracomment>
        <translation>%1 · %2</translation>
    </message>
    <message>
        <source>Ready, saving</source>
        <translation>Bereit, speichert</translation>
    </message>
    <message>
        <source>%1, do not unplug</source>
        <extracomment>%1 is a size such as 3.2 MB</extracomment>
        <translation>%1, nicht ausstecken</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>Bereit</translation>
    </message>
    <message>
        <source>safe to unplug</source>
        <translation>kann ausgesteckt werden</translation>
    </message>
    <message>
        <source>for %1</source>
        <extracomment>%1 is a duration such as 0:42</extracomment>
        <translation>seit %1</translation>
    </message>
    <message numerus="yes">
        <source>%n request(s) held</source>
        <translation>
            <numerusform>%n Anfrage zurückgehalten</numerusform>
            <numerusform>%n Anfragen zurückgehalten</numerusform>
        </translation>
    </message>
    <message>
        <source>gives up in %1</source>
        <extracomment>%1 is a duration such as 0:42</extracomment>
        <translation>gibt in %1 auf</translation>
    </message>
    <message>
        <source>Unplugged, waiting</source>
        <translation>Ausgesteckt, wartet</translation>
    </message>
    <message>
        <source>Needs attention</source>
        <translation>Braucht Aufmerksamkeit</translation>
    </message>
    <message>
        <source>Different disk</source>
        <translation>Anderer Datenträger</translation>
    </message>
    <message>
        <source>Nothing was sent to it. Plug in the right one, or stop the device.</source>
        <translation>Es wurde nichts an ihn gesendet. Stecken Sie den richtigen ein, oder halten Sie das Laufwerk an.</translation>
    </message>
    <message>
        <source>Data may be missing</source>
        <translation>Daten fehlen vielleicht</translation>
    </message>
    <message>
        <source>The other end lost what it had not saved. Check the disk.</source>
        <translation>Die Gegenstelle hat verloren, was sie nicht gespeichert hatte. Prüfen Sie den Datenträger.</translation>
    </message>
    <message>
        <source>Peer too old</source>
        <translation>Gegenstelle zu alt</translation>
    </message>
    <message>
        <source>Update Belay at the other end.</source>
        <translation>Aktualisieren Sie Belay auf der Gegenstelle.</translation>
    </message>
    <message>
        <source>Cannot restart</source>
        <translation>Neustart nicht möglich</translation>
    </message>
    <message>
        <source>Press Recover to try again, or stop the device.</source>
        <translation>Drücken Sie „Wiederherstellen“, um es noch einmal zu versuchen, oder halten Sie das Laufwerk an.</translation>
    </message>
    <message numerus="yes">
        <source>%n request(s) to go</source>
        <translation>
            <numerusform>noch %n Anfrage</numerusform>
            <numerusform>noch %n Anfragen</numerusform>
        </translation>
    </message>
    <message>
        <source>nothing is lost</source>
        <translation>nichts ist verloren</translation>
    </message>
    <message>
        <source>Programs got errors. Press Recover once it is plugged in again.</source>
        <translation>Programme haben Fehler bekommen. Drücken Sie „Wiederherstellen“, sobald es wieder eingesteckt ist.</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Verbindet …</translation>
    </message>
    <message>
        <source>Catching up…</source>
        <translation>Holt auf …</translation>
    </message>
    <message>
        <source>Restarting service…</source>
        <translation>Dienst startet neu …</translation>
    </message>
    <message>
        <source>Stopped waiting</source>
        <translation>Wartet nicht mehr</translation>
    </message>
    <message>
        <source>Disconnecting…</source>
        <translation>Trennt …</translation>
    </message>
    <message>
        <source>Disconnected</source>
        <translation>Getrennt</translation>
    </message>
    <message>
        <source>Not plugged in</source>
        <translation>Nicht eingesteckt</translation>
    </message>
    <message>
        <source>Connected</source>
        <translation>Verbunden</translation>
    </message>
    <message>
        <source>Not compatible</source>
        <translation>Nicht kompatibel</translation>
    </message>
    <message>
        <source>Trouble</source>
        <translation>Störung</translation>
    </message>
    <message>
        <source>%1 Mbit/s</source>
        <translation>%1 Mbit/s</translation>
    </message>
    <message>
        <source>%1 Gbit/s</source>
        <extracomment>%1 is a number of gigabits per second</extracomment>
        <translation>%1 Gbit/s</translation>
    </message>
    <message>
        <source>Keep waiting</source>
        <translation>Weiter warten</translation>
    </message>
    <message>
        <source>Wait up to %1</source>
        <extracomment>%1 is a duration such as 5:00</extracomment>
        <translation>Bis zu %1 warten</translation>
    </message>
    <message>
        <source>Fail after 5 seconds</source>
        <translation>Nach 5 Sekunden fehlschlagen</translation>
    </message>
    <message>
        <source>Lent to the gadget</source>
        <translation>An das Gadget verliehen</translation>
    </message>
    <message>
        <source>From the gadget</source>
        <translation>Vom Gadget</translation>
    </message>
    <message>
        <source>Mounted at %1</source>
        <extracomment>%1 is a mount point</extracomment>
        <translation>Eingehängt unter %1</translation>
    </message>
    <message>
        <source>Used by %1</source>
        <extracomment>%1 is a process, e.g. &quot;1234 (dd)&quot;</extracomment>
        <translation>Benutzt von %1</translation>
    </message>
    <message>
        <source>Used as swap space</source>
        <translation>Als Auslagerungsspeicher benutzt</translation>
    </message>
    <message>
        <source>Part of %1</source>
        <extracomment>%1 is another block device</extracomment>
        <translation>Teil von %1</translation>
    </message>
    <message>
        <source>Read</source>
        <translation>Lesen</translation>
    </message>
    <message>
        <source>Write</source>
        <translation>Schreiben</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Write zeroes</source>
        <translation>Nullen schreiben</translation>
    </message>
    <message>
        <source>Sent</source>
        <translation>Gesendet</translation>
    </message>
    <message>
        <source>Held</source>
        <translation>Zurückgehalten</translation>
    </message>
    <message>
        <source>Held, will be sent again</source>
        <translation>Zurückgehalten, wird erneut gesendet</translation>
    </message>
    <message>
        <source>Answered</source>
        <translation>Beantwortet</translation>
    </message>
    <message>
        <source>The administrator does not allow this.</source>
        <translation>Das erlaubt der Systemverwalter nicht.</translation>
    </message>
    <message>
        <source>A password is needed, and no program is running that could ask for it. Start your desktop&apos;s authentication agent, or use the command line as root.</source>
        <translation>Ein Passwort wird gebraucht, und es läuft kein Programm, das danach fragen könnte. Starten Sie den Legitimationsdienst Ihrer Arbeitsumgebung, oder benutzen Sie die Befehlszeile als root.</translation>
    </message>
    <message>
        <source>The gadget is not there. Plug it in and try again.</source>
        <translation>Das Gadget ist nicht da. Stecken Sie es ein und versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>What is not saved yet cannot be saved now. Plug the gadget in and try again.</source>
        <translation>Was noch nicht gespeichert ist, kann jetzt nicht gespeichert werden. Stecken Sie das Gadget ein und versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>This is not the disk that went away. Plug in the right one.</source>
        <translation>Das ist nicht der Datenträger, der verschwunden ist. Stecken Sie den richtigen ein.</translation>
    </message>
    <message>
        <source>It is gone meanwhile.</source>
        <translation>Es ist inzwischen weg.</translation>
    </message>
    <message>
        <source>%1 are not saved yet: keep the gadget switched on.</source>
        <extracomment>%1 is a size such as 3.2 MB</extracomment>
        <translation>%1 sind noch nicht gespeichert: Lassen Sie das Gadget eingeschaltet.</translation>
    </message>
    <message>
        <source>Choose Recover, or unplug it and plug it in again.</source>
        <translation>Wählen Sie „Wiederherstellen“, oder stecken Sie es aus und wieder ein.</translation>
    </message>
    <message>
        <source>Plug it back in. Programs that use it wait until then.</source>
        <translation>Stecken Sie es wieder ein. Programme, die es benutzen, warten so lange.</translation>
    </message>
    <message>
        <source>They get errors if it is not back by %1.</source>
        <extracomment>%1 is a time such as 14:05</extracomment>
        <translation>Sie bekommen Fehler, wenn es bis %1 nicht zurück ist.</translation>
    </message>
    <message>
        <source>“%1” has lost its connection</source>
        <translation>„%1“ hat die Verbindung verloren</translation>
    </message>
    <message>
        <source>Programs that use it wait until it is back.</source>
        <translation>Programme, die es benutzen, warten, bis es zurück ist.</translation>
    </message>
    <message>
        <source>“%1” does not answer</source>
        <translation>„%1“ antwortet nicht</translation>
    </message>
    <message>
        <source>“%1” was unplugged</source>
        <translation>„%1“ wurde ausgesteckt</translation>
    </message>
    <message>
        <source>%1 are not saved yet.</source>
        <translation>%1 sind noch nicht gespeichert.</translation>
    </message>
    <message>
        <source>“%1”: %2</source>
        <extracomment>A device and what is the matter with it, e.g. &quot;“disk”: Stopped waiting&quot;</extracomment>
        <translation>„%1“: %2</translation>
    </message>
    <message>
        <source>“%1” is back</source>
        <translation>„%1“ ist wieder da</translation>
    </message>
    <message>
        <source>Programs that got errors may have to be started again.</source>
        <translation>Programme, die Fehler bekommen haben, müssen vielleicht neu gestartet werden.</translation>
    </message>
    <message>
        <source>Programs that waited for it go on.</source>
        <translation>Programme, die darauf gewartet haben, machen weiter.</translation>
    </message>
</context>
<context>
    <name>belay::ui::Details</name>
    <message>
        <source>Nobody</source>
        <translation>Niemand</translation>
    </message>
    <message>
        <source>State:</source>
        <translation>Zustand:</translation>
    </message>
    <message>
        <source>Why:</source>
        <translation>Grund:</translation>
    </message>
    <message>
        <source>Gadget:</source>
        <translation>Gadget:</translation>
    </message>
    <message>
        <source>Kind:</source>
        <translation>Art:</translation>
    </message>
    <message>
        <source>%1, read-only</source>
        <translation>%1, nur lesbar</translation>
    </message>
    <message>
        <source>Where:</source>
        <translation>Wo:</translation>
    </message>
    <message>
        <source>Size:</source>
        <translation>Größe:</translation>
    </message>
    <message>
        <source>%1 (%2 bytes, in blocks of %3)</source>
        <extracomment>%1 is a size such as 3.2 MB, %2 the same in bytes, %3 the size of a block in bytes</extracomment>
        <translation>%1 (%2 Bytes, in Blöcken zu %3)</translation>
    </message>
    <message>
        <source>Used by:</source>
        <translation>Benutzt von:</translation>
    </message>
    <message>
        <source>The gadget knows</source>
        <translation>Das weiß nur das Gadget</translation>
    </message>
    <message>
        <source>If unplugged:</source>
        <translation>Wenn ausgesteckt:</translation>
    </message>
    <message>
        <source>Moved:</source>
        <translation>Übertragen:</translation>
    </message>
    <message>
        <source>%1 read, %2 written</source>
        <extracomment>%1 and %2 are sizes such as 3.2 MB</extracomment>
        <translation>%1 gelesen, %2 geschrieben</translation>
    </message>
    <message>
        <source>Restarts survived:</source>
        <translation>Überstandene Neustarts:</translation>
    </message>
    <message>
        <source>Identity:</source>
        <translation>Kennung:</translation>
    </message>
    <message>
        <source>About the selected device</source>
        <translation>Über das ausgewählte Laufwerk</translation>
    </message>
    <message>
        <source>In &amp;flight</source>
        <extracomment>Requests that are not answered yet; a page&apos;s title</extracomment>
        <translation>&amp;Unterwegs</translation>
    </message>
    <message>
        <source>&amp;Events</source>
        <translation>E&amp;reignisse</translation>
    </message>
    <message>
        <source>De&amp;tails</source>
        <translation>&amp;Details</translation>
    </message>
    <message>
        <source>Requests in flight</source>
        <translation>Anfragen, die unterwegs sind</translation>
    </message>
    <message>
        <source>About the requests in flight</source>
        <translation>Über die Anfragen, die unterwegs sind</translation>
    </message>
    <message>
        <source>Events</source>
        <translation>Ereignisse</translation>
    </message>
    <message>
        <source>&amp;Copy report</source>
        <translation>Bericht &amp;kopieren</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>Bericht kopieren</translation>
    </message>
    <message>
        <source>Puts all that is known about this device on the clipboard, for a report of a fault</source>
        <translation>Legt alles, was über dieses Laufwerk bekannt ist, in die Zwischenablage, um einen Fehler zu melden</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Details</translation>
    </message>
    <message>
        <source>Select a device to see its requests</source>
        <translation>Wählen Sie ein Laufwerk aus, um seine Anfragen zu sehen</translation>
    </message>
    <message>
        <source>No requests are in flight</source>
        <translation>Keine Anfragen unterwegs</translation>
    </message>
    <message>
        <source>The requests cannot be listed just now</source>
        <translation>Die Anfragen lassen sich gerade nicht auflisten</translation>
    </message>
    <message>
        <source>H&amp;istory</source>
        <translation>Verlau&amp;f</translation>
    </message>
    <message>
        <source>Its requests, its history, its events, and all else</source>
        <translation>Seine Anfragen, sein Verlauf, seine Ereignisse und alles Übrige</translation>
    </message>
    <message>
        <source>A row for each request that is not answered yet</source>
        <translation>Eine Zeile für jede Anfrage, die noch nicht beantwortet ist</translation>
    </message>
    <message>
        <source>What happened to the device, the newest first</source>
        <translation>Was mit dem Gerät geschehen ist, das Neueste zuerst</translation>
    </message>
    <message>
        <source>All that is known of the device</source>
        <translation>Alles, was über das Gerät bekannt ist</translation>
    </message>
</context>
<context>
    <name>belay::ui::DeviceActions</name>
    <message>
        <source>“%1” is not back yet.</source>
        <translation>„%1“ ist noch nicht zurück.</translation>
    </message>
    <message>
        <source>Data may be missing</source>
        <translation>Daten fehlen vielleicht</translation>
    </message>
    <message>
        <source>“%1” lost data that it had taken</source>
        <translation>„%1“ hat angenommene Daten verloren</translation>
    </message>
    <message>
        <source>The other end restarted before it had saved everything. Going on hides that from the programs that wrote the data. Stop the device and check the disk instead, unless you know that nothing important was being written.</source>
        <translation>Die Gegenstelle wurde neu gestartet, bevor sie alles gespeichert hatte. Wenn es weitergeht, erfahren die Programme, die die Daten geschrieben haben, davon nichts. Halten Sie das Laufwerk besser an und prüfen Sie den Datenträger, außer Sie wissen, dass nichts Wichtiges geschrieben wurde.</translation>
    </message>
    <message>
        <source>Go on without it</source>
        <translation>Ohne sie weitermachen</translation>
    </message>
    <message>
        <source>“%1” could not be stopped.</source>
        <translation>„%1“ konnte nicht angehalten werden.</translation>
    </message>
    <message>
        <source>Plug the gadget in and stop it again to lose nothing.</source>
        <translation>Stecken Sie das Gadget ein und halten Sie es dann noch einmal an, damit nichts verloren geht.</translation>
    </message>
    <message>
        <source>Unmount it or close these programs first, then stop it again.</source>
        <translation>Hängen Sie es zuerst aus oder schließen Sie diese Programme, dann halten Sie es noch einmal an.</translation>
    </message>
    <message>
        <source>%1 that were written and not saved will be lost.</source>
        <extracomment>%1 is a size such as 3.2 MB</extracomment>
        <translation>%1, die geschrieben und nicht gespeichert wurden, gehen verloren.</translation>
    </message>
    <message numerus="yes">
        <source>%n request(s) that are held will fail.</source>
        <translation>
            <numerusform>%n zurückgehaltene Anfrage schlägt fehl.</numerusform>
            <numerusform>%n zurückgehaltene Anfragen schlagen fehl.</numerusform>
        </translation>
    </message>
    <message>
        <source>Programs that use it will get errors, and what they have not written yet is lost.</source>
        <translation>Programme, die es benutzen, bekommen Fehler, und was sie noch nicht geschrieben haben, ist verloren.</translation>
    </message>
    <message>
        <source>If you force it to stop now: %1</source>
        <translation>Wenn Sie das Anhalten jetzt erzwingen: %1</translation>
    </message>
    <message>
        <source>Stop the device</source>
        <translation>Laufwerk anhalten</translation>
    </message>
    <message>
        <source>“%1” cannot be stopped safely now</source>
        <translation>„%1“ kann jetzt nicht sicher angehalten werden</translation>
    </message>
    <message>
        <source>“%1” is in use</source>
        <translation>„%1“ wird benutzt</translation>
    </message>
    <message>
        <source>Force stop</source>
        <translation>Anhalten erzwingen</translation>
    </message>
    <message>
        <source>This was not changed.</source>
        <translation>Das wurde nicht geändert.</translation>
    </message>
    <message>
        <source>Other time…</source>
        <translation>Andere Zeit …</translation>
    </message>
    <message>
        <source>Wait for the cable</source>
        <translation>Auf das Kabel warten</translation>
    </message>
    <message>
        <source>When the gadget is unplugged, hold requests for at most this many minutes:</source>
        <translation>Wenn das Gadget ausgesteckt wird, Anfragen höchstens so viele Minuten zurückhalten:</translation>
    </message>
    <message>
        <source>A password will be asked for</source>
        <translation>Es wird nach einem Passwort gefragt</translation>
    </message>
</context>
<context>
    <name>belay::ui::DeviceModel</name>
    <message>
        <source>Device</source>
        <translation>Laufwerk</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>Wo</translation>
    </message>
    <message>
        <source>Throughput</source>
        <translation>Durchsatz</translation>
    </message>
    <message>
        <source>In flight</source>
        <extracomment>Requests that are not answered yet; a column&apos;s heading</extracomment>
        <translation>Unterwegs</translation>
    </message>
    <message>
        <source>Unsaved</source>
        <extracomment>Bytes written and not saved yet; a column&apos;s heading</extracomment>
        <translation>Ungespeichert</translation>
    </message>
    <message>
        <source>Actions</source>
        <translation>Aktionen</translation>
    </message>
    <message>
        <source>oldest %1</source>
        <extracomment>%1 is the age of the oldest request, e.g. 4.2 s</extracomment>
        <translation>älteste %1</translation>
    </message>
    <message>
        <source>→ %1</source>
        <extracomment>Where a disk&apos;s bytes are or go to; %1 is a gadget</extracomment>
        <translation>→ %1</translation>
    </message>
    <message>
        <source>← %1</source>
        <translation>← %1</translation>
    </message>
</context>
<context>
    <name>belay::ui::DeviceView</name>
    <message>
        <source>Recover</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Tries at once to bring the device back</source>
        <translation>Versucht sofort, das Laufwerk zurückzubringen</translation>
    </message>
    <message>
        <source>Saves what is not saved and removes the device</source>
        <translation>Speichert, was noch nicht gespeichert ist, und entfernt das Laufwerk</translation>
    </message>
    <message>
        <source>Recover %1</source>
        <extracomment>Read to blind users; %1 is a device</extracomment>
        <translation>%1 wiederherstellen</translation>
    </message>
    <message>
        <source>Stop %1</source>
        <extracomment>Read to blind users; %1 is a device</extracomment>
        <translation>%1 anhalten</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>Laufwerke</translation>
    </message>
    <message>
        <source>A row for each device: its state, where it is, and its requests</source>
        <translation>Eine Zeile je Laufwerk: sein Zustand, wo es ist und seine Anfragen</translation>
    </message>
</context>
<context>
    <name>belay::ui::EventModel</name>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>About</source>
        <extracomment>What an event is about: a device, a gadget or the service; a column&apos;s heading</extracomment>
        <translation>Betrifft</translation>
    </message>
    <message>
        <source>What happened</source>
        <translation>Was geschah</translation>
    </message>
</context>
<context>
    <name>belay::ui::GadgetActions</name>
    <message>
        <source>read-only</source>
        <translation>nur lesbar</translation>
    </message>
    <message>
        <source>attached</source>
        <translation>angebunden</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <extracomment>A share: %1 is its name, %2 its size and what else there is to say</extracomment>
        <translation>%1 (%2)</translation>
    </message>
    <message>
        <source>This gadget shares nothing</source>
        <translation>Dieses Gadget gibt nichts frei</translation>
    </message>
    <message>
        <source>Attach everything automatically</source>
        <translation>Alles automatisch anbinden</translation>
    </message>
    <message>
        <source>This was not changed.</source>
        <translation>Das wurde nicht geändert.</translation>
    </message>
    <message>
        <source>It could not be attached.</source>
        <translation>Es konnte nicht angebunden werden.</translation>
    </message>
    <message>
        <source>Tick “Read-only” to lend it without writing to it.</source>
        <translation>Setzen Sie einen Haken bei „Nur lesen“, um es zu verleihen, ohne dass darauf geschrieben wird.</translation>
    </message>
    <message>
        <source>“%1” cannot be opened: %2. %3</source>
        <translation>„%1“ kann nicht geöffnet werden: %2. %3</translation>
    </message>
    <message>
        <source>“%1” is neither a file nor a block device. Choose a disk image.</source>
        <translation>„%1“ ist weder eine Datei noch ein Blockgerät. Wählen Sie ein Abbild.</translation>
    </message>
    <message>
        <source>It could not be lent.</source>
        <translation>Es konnte nicht verliehen werden.</translation>
    </message>
    <message>
        <source>The gadget was not forgotten.</source>
        <translation>Das Gadget wurde nicht vergessen.</translation>
    </message>
</context>
<context>
    <name>belay::ui::GadgetModel</name>
    <message>
        <source>Port %1</source>
        <extracomment>%1 is a USB port such as 1-2.3</extracomment>
        <translation>Anschluss %1</translation>
    </message>
</context>
<context>
    <name>belay::ui::HistoryView</name>
    <message>
        <source>History</source>
        <translation>Verlauf</translation>
    </message>
    <message>
        <source>%1 for %2</source>
        <extracomment>Read to blind users: a state and how long it lasted</extracomment>
        <translation>%1, %2 lang</translation>
    </message>
    <message>
        <source>Read</source>
        <translation>Gelesen</translation>
    </message>
    <message>
        <source>Written</source>
        <translation>Geschrieben</translation>
    </message>
    <message>
        <source>now</source>
        <extracomment>How long ago; %1 is a duration such as 4:00</extracomment>
        <translation>jetzt</translation>
    </message>
    <message>
        <source>%1 ago</source>
        <translation>vor %1</translation>
    </message>
    <message>
        <source>Select a device to see what it has done</source>
        <translation>Wählen Sie ein Laufwerk aus, um zu sehen, was es getan hat</translation>
    </message>
</context>
<context>
    <name>belay::ui::LendDialog</name>
    <message>
        <source>&amp;Read-only: the gadget cannot write to it</source>
        <translation>Nur &amp;lesen: Das Gadget kann nicht darauf schreiben</translation>
    </message>
    <message>
        <source>Lend an image to %1</source>
        <extracomment>The title of a dialog; %1 is a gadget&apos;s name</extracomment>
        <translation>Ein Abbild an %1 verleihen</translation>
    </message>
    <message>
        <source>&amp;Browse…</source>
        <translation>&amp;Durchsuchen …</translation>
    </message>
    <message>
        <source>Browse for the file</source>
        <translation>Die Datei suchen</translation>
    </message>
    <message>
        <source>File to lend</source>
        <translation>Zu verleihende Datei</translation>
    </message>
    <message>
        <source>Name on the gadget</source>
        <translation>Name auf dem Gadget</translation>
    </message>
    <message>
        <source>Read-only</source>
        <translation>Nur lesen</translation>
    </message>
    <message>
        <source>About this file</source>
        <translation>Über diese Datei</translation>
    </message>
    <message>
        <source>&amp;File:</source>
        <translation>Da&amp;tei:</translation>
    </message>
    <message>
        <source>&amp;Name:</source>
        <translation>&amp;Name:</translation>
    </message>
    <message>
        <source>&amp;Lend</source>
        <translation>&amp;Verleihen</translation>
    </message>
    <message>
        <source>Choose what to lend</source>
        <translation>Auswählen, was verliehen wird</translation>
    </message>
    <message>
        <source>Disk images (*.img *.iso *.raw)</source>
        <translation>Abbilder (*.img *.iso *.raw)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Choose a disk image or a block device. It becomes a disk on the gadget; keep it where it is while it is lent.</source>
        <translation>Wählen Sie ein Abbild oder ein Blockgerät. Es wird zu einem Datenträger auf dem Gadget; lassen Sie es, wo es ist, solange es verliehen ist.</translation>
    </message>
    <message>
        <source>There is no such file.</source>
        <translation>Diese Datei gibt es nicht.</translation>
    </message>
    <message>
        <source>This is a folder. Choose a disk image.</source>
        <translation>Das ist ein Ordner. Wählen Sie ein Abbild.</translation>
    </message>
    <message>
        <source>You may not write to this file, so it can be lent read-only.</source>
        <translation>Sie dürfen in diese Datei nicht schreiben; sie kann nur lesbar verliehen werden.</translation>
    </message>
    <message>
        <source>%1 will be a disk of this size on the gadget.</source>
        <translation>Auf dem Gadget wird daraus ein Datenträger dieser Größe: %1.</translation>
    </message>
    <message>
        <source>Opens a dialog in which to choose it</source>
        <translation>Öffnet ein Fenster, in dem sie gewählt wird</translation>
    </message>
    <message>
        <source>A disk image or a block device</source>
        <translation>Ein Abbild eines Datenträgers oder ein Blockgerät</translation>
    </message>
    <message>
        <source>The file&apos;s own name, if this is empty</source>
        <translation>Der Name der Datei, wenn dies leer ist</translation>
    </message>
    <message>
        <source>The gadget cannot write to it</source>
        <translation>Das Gadget kann nicht darauf schreiben</translation>
    </message>
    <message>
        <source>Lend</source>
        <translation>Verleihen</translation>
    </message>
    <message>
        <source>Gives the file to the gadget as a disk</source>
        <translation>Gibt dem Gadget die Datei als Datenträger</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Lends nothing</source>
        <translation>Verleiht nichts</translation>
    </message>
    <message>
        <source>Block size</source>
        <translation>Blockgröße</translation>
    </message>
    <message>
        <source>Automatic</source>
        <extracomment>The block size is chosen by Belay</extracomment>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>%1 bytes</source>
        <extracomment>A block size; %1 is a number</extracomment>
        <translation>%1 Byte</translation>
    </message>
    <message>
        <source>Bloc&amp;k size:</source>
        <translation>&amp;Blockgröße:</translation>
    </message>
    <message>
        <source>A partition table is found only with the block size that it was made for. “Automatic” takes a block device’s own size. Of a file it takes the size that it was lent with last; without one, 4096 bytes if its partition table was made for that, and else 512.</source>
        <translation>Eine Partitionstabelle wird nur mit der Blockgröße gefunden, für die sie angelegt wurde. „Automatisch“ nimmt bei einem Blockgerät dessen eigene Größe. Bei einer Datei ist es die Größe, mit der sie zuletzt verliehen war; gibt es keine, 4096 Byte, wenn ihre Partitionstabelle dafür angelegt wurde, und sonst 512.</translation>
    </message>
</context>
<context>
    <name>belay::ui::MainWindow</name>
    <message>
        <source>Belay</source>
        <translation>Belay</translation>
    </message>
    <message>
        <source>State of the service</source>
        <translation>Zustand des Dienstes</translation>
    </message>
    <message>
        <source>What went wrong</source>
        <translation>Was schiefging</translation>
    </message>
    <message>
        <source>&amp;Recover</source>
        <translation>&amp;Wiederherstellen</translation>
    </message>
    <message>
        <source>Ctrl+R</source>
        <translation>Ctrl+R</translation>
    </message>
    <message>
        <source>Tries at once to bring the device back</source>
        <translation>Versucht sofort, das Laufwerk zurückzubringen</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>&amp;Anhalten</translation>
    </message>
    <message>
        <source>Ctrl+D</source>
        <translation>Ctrl+D</translation>
    </message>
    <message>
        <source>Saves what is not saved and removes the device</source>
        <translation>Speichert, was noch nicht gespeichert ist, und entfernt das Laufwerk</translation>
    </message>
    <message>
        <source>&amp;Copy report</source>
        <translation>Bericht &amp;kopieren</translation>
    </message>
    <message>
        <source>Ctrl+Shift+C</source>
        <translation>Ctrl+Shift+C</translation>
    </message>
    <message>
        <source>&amp;Lend an image…</source>
        <translation>Abbild &amp;verleihen …</translation>
    </message>
    <message>
        <source>Ctrl+L</source>
        <translation>Ctrl+L</translation>
    </message>
    <message>
        <source>&amp;Forget this gadget</source>
        <translation>Dieses Gadget ver&amp;gessen</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>&amp;Attach</source>
        <translation>&amp;Anbinden</translation>
    </message>
    <message>
        <source>If &amp;unplugged</source>
        <translation>Wenn a&amp;usgesteckt</translation>
    </message>
    <message>
        <source>&amp;Gadget</source>
        <translation>&amp;Gadget</translation>
    </message>
    <message>
        <source>&amp;Device</source>
        <translation>&amp;Laufwerk</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;About Belay</source>
        <translation>&amp;Über Belay</translation>
    </message>
    <message>
        <source>Menu bar</source>
        <translation>Menüleiste</translation>
    </message>
    <message>
        <source>Gadgets</source>
        <translation>Gadgets</translation>
    </message>
    <message>
        <source>The phones and boards that are or were plugged in. Drop an image on one to lend it.</source>
        <translation>Die Telefone und Platinen, die eingesteckt sind oder waren. Ziehen Sie ein Abbild auf eines davon, um es zu verleihen.</translation>
    </message>
    <message>
        <source>No gadget yet</source>
        <translation>Noch kein Gadget</translation>
    </message>
    <message>
        <source>Plug in a phone or a board on which belay-gadget runs.</source>
        <translation>Stecken Sie ein Telefon oder eine Platine ein, auf der belay-gadget läuft.</translation>
    </message>
    <message>
        <source>Attach a share of the gadget</source>
        <translation>Eine Freigabe des Gadgets anbinden</translation>
    </message>
    <message>
        <source>Lend an image to the gadget</source>
        <translation>Dem Gadget ein Abbild verleihen</translation>
    </message>
    <message>
        <source>Asking the helper service…</source>
        <translation>Der Hilfsdienst wird gefragt …</translation>
    </message>
    <message>
        <source>The helper service is restarting. Nothing is lost: disks that were in use go on without it.</source>
        <translation>Der Hilfsdienst startet neu. Nichts ist verloren: Datenträger, die benutzt wurden, laufen ohne ihn weiter.</translation>
    </message>
    <message>
        <source>The helper service belayd is not installed on this computer. Install Belay&apos;s package, or run “cmake --install” for the folder it was built in.</source>
        <translation>Der Hilfsdienst belayd ist auf diesem Rechner nicht installiert. Installieren Sie das Paket von Belay, oder führen Sie „cmake --install“ für den Ordner aus, in dem es gebaut wurde.</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>The helper service cannot be reached: %1 Look at “journalctl -u belayd”.</source>
        <translation>Der Hilfsdienst ist nicht erreichbar: %1 Sehen Sie in „journalctl -u belayd“ nach.</translation>
    </message>
    <message>
        <source>There is no system bus here: %1 Start dbus, then start Belay again.</source>
        <translation>Hier gibt es keinen Systembus: %1 Starten Sie dbus und dann Belay noch einmal.</translation>
    </message>
    <message>
        <source>Nothing to show</source>
        <translation>Nichts zu zeigen</translation>
    </message>
    <message>
        <source>The helper service is not there.</source>
        <translation>Der Hilfsdienst ist nicht da.</translation>
    </message>
    <message>
        <source>Plug in a gadget</source>
        <translation>Stecken Sie ein Gadget ein</translation>
    </message>
    <message>
        <source>On the gadget, run “belay-gadget --share FILE” to give this computer a disk, or “belay-gadget --lend-ready” to borrow one from it. Then plug the gadget in here.</source>
        <translation>Führen Sie auf dem Gadget „belay-gadget --share DATEI“ aus, um diesem Rechner einen Datenträger zu geben, oder „belay-gadget --lend-ready“, um von ihm einen zu leihen. Stecken Sie das Gadget dann hier ein.</translation>
    </message>
    <message>
        <source>No disks yet</source>
        <translation>Noch keine Datenträger</translation>
    </message>
    <message>
        <source>Press Attach to use what the gadget shares as a disk of this computer, or Lend an image to give the gadget a disk.</source>
        <translation>Drücken Sie „Anbinden“, um zu benutzen, was das Gadget freigibt, oder „Abbild verleihen“, um dem Gadget einen Datenträger zu geben.</translation>
    </message>
    <message>
        <source>About Belay</source>
        <translation>Über Belay</translation>
    </message>
    <message>
        <source>Belay %1</source>
        <translation>Belay %1</translation>
    </message>
    <message>
        <source>Disks over a USB cable that survive the cable being pulled.</source>
        <translation>Datenträger über ein USB-Kabel, die es überstehen, wenn das Kabel gezogen wird.</translation>
    </message>
    <message>
        <source>All that can be done with gadgets and devices</source>
        <translation>Alles, was mit Gadgets und Geräten getan werden kann</translation>
    </message>
    <message>
        <source>Makes a disk of this computer of what it shares</source>
        <translation>Macht aus dem, was es freigibt, einen Datenträger dieses Rechners</translation>
    </message>
    <message>
        <source>Gives the gadget a disk whose bytes stay here</source>
        <translation>Gibt dem Gadget einen Datenträger, dessen Bytes hier bleiben</translation>
    </message>
</context>
<context>
    <name>belay::ui::MessageBar</name>
    <message>
        <source>%1: message</source>
        <extracomment>Read to blind users; %1 is what the bar is about</extracomment>
        <translation>%1: Meldung</translation>
    </message>
    <message>
        <source>Close this message</source>
        <translation>Diese Meldung schließen</translation>
    </message>
    <message>
        <source>No action</source>
        <translation>Keine Aktion</translation>
    </message>
    <message>
        <source>What it is about goes on</source>
        <translation>Worum es geht, läuft weiter</translation>
    </message>
    <message>
        <source>What can be done about the message</source>
        <translation>Was zu dieser Meldung getan werden kann</translation>
    </message>
</context>
<context>
    <name>belay::ui::Notifications</name>
    <message>
        <source>Details</source>
        <translation>Details</translation>
    </message>
    <message>
        <source>Recover</source>
        <translation>Wiederherstellen</translation>
    </message>
</context>
<context>
    <name>belay::ui::RequestModel</name>
    <message>
        <source>Operation</source>
        <translation>Vorgang</translation>
    </message>
    <message>
        <source>Offset</source>
        <extracomment>Where on the disk a request begins, in bytes; a column&apos;s heading</extracomment>
        <translation>Position</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>Länge</translation>
    </message>
    <message>
        <source>Age</source>
        <translation>Alter</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
</context>
<context>
    <name>belay::ui::Service</name>
    <message>
        <source>The helper service ended meanwhile. Look at the device&apos;s state.</source>
        <translation>Der Hilfsdienst wurde inzwischen beendet. Sehen Sie nach dem Zustand des Laufwerks.</translation>
    </message>
    <message>
        <source>Its outcome is not known.</source>
        <translation>Das Ergebnis ist nicht bekannt.</translation>
    </message>
</context>
<context>
    <name>belay::ui::Tray</name>
    <message>
        <source>Show &amp;window</source>
        <translation>&amp;Fenster zeigen</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) need attention</source>
        <translation>
            <numerusform>%n Laufwerk braucht Aufmerksamkeit</numerusform>
            <numerusform>%n Laufwerke brauchen Aufmerksamkeit</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) unplugged, waiting</source>
        <translation>
            <numerusform>%n Laufwerk ausgesteckt, wartet</numerusform>
            <numerusform>%n Laufwerke ausgesteckt, warten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) in use</source>
        <translation>
            <numerusform>%n Laufwerk in Benutzung</numerusform>
            <numerusform>%n Laufwerke in Benutzung</numerusform>
        </translation>
    </message>
    <message>
        <source>No devices</source>
        <translation>Keine Laufwerke</translation>
    </message>
    <message>
        <source>The helper service is not there.</source>
        <translation>Der Hilfsdienst ist nicht da.</translation>
    </message>
    <message>
        <source>&amp;Recover</source>
        <translation>&amp;Wiederherstellen</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>&amp;Anhalten</translation>
    </message>
</context>
</TS>
