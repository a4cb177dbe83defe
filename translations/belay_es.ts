<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="es">
<context>
    <name>EventWords</name>
    <message>
        <source>%1, by user %2</source>
        <extracomment>Something that was asked for, and the number of who did, e.g. &quot;Stop, by user 1000&quot;</extracomment>
        <translation>%1, por el usuario %2</translation>
    </message>
    <message>
        <source>“%1” cannot be lent</source>
        <extracomment>%1 is the name of a file</extracomment>
        <translation>«%1» no se puede prestar</translation>
    </message>
    <message>
        <source>A new service has taken over</source>
        <translation>Un nuevo servicio ha tomado el relevo</translation>
    </message>
    <message>
        <source>Plugged in at port %1</source>
        <extracomment>%1 is a USB port, such as 1-2</extracomment>
        <translation>Conectado al puerto %1</translation>
    </message>
    <message>
        <source>Unplugged</source>
        <translation>Desconectado</translation>
    </message>
    <message>
        <source>Attach “%1”</source>
        <extracomment>%1 is the label of a disk that the gadget shares</extracomment>
        <translation>Conectar «%1»</translation>
    </message>
    <message>
        <source>Lend “%1”</source>
        <extracomment>%1 is the name of a file</extracomment>
        <translation>Prestar «%1»</translation>
    </message>
    <message>
        <source>Lend “%1”, read-only</source>
        <translation>Prestar «%1» en modo de solo lectura</translation>
    </message>
    <message>
        <source>Attach everything automatically</source>
        <translation>Conectar todo automáticamente</translation>
    </message>
    <message>
        <source>Attach nothing automatically</source>
        <translation>No conectar nada automáticamente</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Olvidar</translation>
    </message>
    <message>
        <source>Recover</source>
        <translation>Recuperar</translation>
    </message>
    <message>
        <source>Go on without the lost data</source>
        <translation>Continuar sin los datos perdidos</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Detener</translation>
    </message>
    <message>
        <source>Force stop</source>
        <translation>Forzar detención</translation>
    </message>
    <message>
        <source>If unplugged: %1</source>
        <extracomment>%1 is what is to happen while the gadget is unplugged, such as &quot;Keep waiting&quot;</extracomment>
        <translation>Si se desconecta: %1</translation>
    </message>
    <message>
        <source>Read the partition table again</source>
        <translation>Volver a leer la tabla de particiones</translation>
    </message>
    <message>
        <source>The service for this gadget has ended</source>
        <translation>El servicio de este gadget ha terminado</translation>
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
        <translation>Gadget en el puerto %1</translation>
    </message>
</context>
<context>
    <name>Program</name>
    <message>
        <source>Disks over a USB cable that survive the cable being pulled.</source>
        <translation>Discos por un cable USB que sobreviven aunque se desconecte el cable.</translation>
    </message>
    <message>
        <source>Starts in the tray, without a window if there is a tray.</source>
        <translation>Se inicia en la bandeja, sin ventana si hay bandeja.</translation>
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
        <translation>Listo, guardando</translation>
    </message>
    <message>
        <source>%1, do not unplug</source>
        <extracomment>%1 is a size such as 3.2 MB</extracomment>
        <translation>%1, no desconectar</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>Listo</translation>
    </message>
    <message>
        <source>safe to unplug</source>
        <translation>se puede desconectar</translation>
    </message>
    <message>
        <source>for %1</source>
        <extracomment>%1 is a duration such as 0:42</extracomment>
        <translation>desde hace %1</translation>
    </message>
    <message numerus="yes">
        <source>%n request(s) held</source>
        <translation>
            <numerusform>%n petición retenida</numerusform>
            <numerusform>%n peticiones retenidas</numerusform>
        </translation>
    </message>
    <message>
        <source>gives up in %1</source>
        <extracomment>%1 is a duration such as 0:42</extracomment>
        <translation>abandona en %1</translation>
    </message>
    <message>
        <source>Unplugged, waiting</source>
        <translation>Desconectado, en espera</translation>
    </message>
    <message>
        <source>Needs attention</source>
        <translation>Necesita atención</translation>
    </message>
    <message>
        <source>Different disk</source>
        <translation>Otro disco</translation>
    </message>
    <message>
        <source>Nothing was sent to it. Plug in the right one, or stop the device.</source>
        <translation>No se le ha enviado nada. Conecte el correcto o detenga el dispositivo.</translation>
    </message>
    <message>
        <source>Data may be missing</source>
        <translation>Pueden faltar datos</translation>
    </message>
    <message>
        <source>The other end lost what it had not saved. Check the disk.</source>
        <translation>El otro extremo perdió lo que no había guardado. Compruebe el disco.</translation>
    </message>
    <message>
        <source>Peer too old</source>
        <translation>El otro extremo es demasiado antiguo</translation>
    </message>
    <message>
        <source>Update Belay at the other end.</source>
        <translation>Actualice Belay en el otro extremo.</translation>
    </message>
    <message>
        <source>Cannot restart</source>
        <translation>No se puede reiniciar</translation>
    </message>
    <message>
        <source>Press Recover to try again, or stop the device.</source>
        <translation>Pulse Recuperar para volver a intentarlo o detenga el dispositivo.</translation>
    </message>
    <message numerus="yes">
        <source>%n request(s) to go</source>
        <translation>
            <numerusform>falta %n petición</numerusform>
            <numerusform>faltan %n peticiones</numerusform>
        </translation>
    </message>
    <message>
        <source>nothing is lost</source>
        <translation>no se pierde nada</translation>
    </message>
    <message>
        <source>Programs got errors. Press Recover once it is plugged in again.</source>
        <translation>Los programas recibieron errores. Pulse Recuperar cuando esté conectado de nuevo.</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Conectando…</translation>
    </message>
    <message>
        <source>Catching up…</source>
        <translation>Poniéndose al día…</translation>
    </message>
    <message>
        <source>Restarting service…</source>
        <translation>Reiniciando el servicio…</translation>
    </message>
    <message>
        <source>Stopped waiting</source>
        <translation>Ya no espera</translation>
    </message>
    <message>
        <source>Disconnecting…</source>
        <translation>Desconectando…</translation>
    </message>
    <message>
        <source>Disconnected</source>
        <translation>Desconectado</translation>
    </message>
    <message>
        <source>Not plugged in</source>
        <translation>No está conectado</translation>
    </message>
    <message>
        <source>Connected</source>
        <translation>Conectado</translation>
    </message>
    <message>
        <source>Not compatible</source>
        <translation>No compatible</translation>
    </message>
    <message>
        <source>Trouble</source>
        <translation>Problema</translation>
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
        <translation>Seguir esperando</translation>
    </message>
    <message>
        <source>Wait up to %1</source>
        <extracomment>%1 is a duration such as 5:00</extracomment>
        <translation>Esperar hasta %1</translation>
    </message>
    <message>
        <source>Fail after 5 seconds</source>
        <translation>Fallar tras 5 segundos</translation>
    </message>
    <message>
        <source>Lent to the gadget</source>
        <translation>Prestado al gadget</translation>
    </message>
    <message>
        <source>From the gadget</source>
        <translation>Del gadget</translation>
    </message>
    <message>
        <source>Mounted at %1</source>
        <extracomment>%1 is a mount point</extracomment>
        <translation>Montado en %1</translation>
    </message>
    <message>
        <source>Used by %1</source>
        <extracomment>%1 is a process, e.g. &quot;1234 (dd)&quot;</extracomment>
        <translation>En uso por %1</translation>
    </message>
    <message>
        <source>Used as swap space</source>
        <translation>Se usa como espacio de intercambio</translation>
    </message>
    <message>
        <source>Part of %1</source>
        <extracomment>%1 is another block device</extracomment>
        <translation>Parte de %1</translation>
    </message>
    <message>
        <source>Read</source>
        <translation>Leer</translation>
    </message>
    <message>
        <source>Write</source>
        <translation>Escribir</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Guardar</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Descartar</translation>
    </message>
    <message>
        <source>Write zeroes</source>
        <translation>Escribir ceros</translation>
    </message>
    <message>
        <source>Sent</source>
        <translation>Enviada</translation>
    </message>
    <message>
        <source>Held</source>
        <translation>Retenida</translation>
    </message>
    <message>
        <source>Held, will be sent again</source>
        <translation>Retenida, se enviará de nuevo</translation>
    </message>
    <message>
        <source>Answered</source>
        <translation>Respondida</translation>
    </message>
    <message>
        <source>The administrator does not allow this.</source>
        <translation>El administrador no lo permite.</translation>
    </message>
    <message>
        <source>A password is needed, and no program is running that could ask for it. Start your desktop&apos;s authentication agent, or use the command line as root.</source>
        <translation>Se necesita una contraseña y no hay ningún programa en marcha que pueda pedirla. Inicie el agente de autenticación de su escritorio o use la línea de órdenes como root.</translation>
    </message>
    <message>
        <source>The gadget is not there. Plug it in and try again.</source>
        <translation>El gadget no está. Conéctelo y vuelva a intentarlo.</translation>
    </message>
    <message>
        <source>What is not saved yet cannot be saved now. Plug the gadget in and try again.</source>
        <translation>Lo que no está guardado no se puede guardar ahora. Conecte el gadget y vuelva a intentarlo.</translation>
    </message>
    <message>
        <source>This is not the disk that went away. Plug in the right one.</source>
        <translation>Este no es el disco que se desconectó. Conecte el correcto.</translation>
    </message>
    <message>
        <source>It is gone meanwhile.</source>
        <translation>Ya no está.</translation>
    </message>
    <message>
        <source>%1 are not saved yet: keep the gadget switched on.</source>
        <extracomment>%1 is a size such as 3.2 MB</extracomment>
        <translation>%1 todavía no están guardados: mantenga el gadget encendido.</translation>
    </message>
    <message>
        <source>Choose Recover, or unplug it and plug it in again.</source>
        <translation>Elija Recuperar, o desconéctelo y vuelva a conectarlo.</translation>
    </message>
    <message>
        <source>Plug it back in. Programs that use it wait until then.</source>
        <translation>Vuelva a conectarlo. Los programas que lo usan esperan hasta entonces.</translation>
    </message>
    <message>
        <source>They get errors if it is not back by %1.</source>
        <extracomment>%1 is a time such as 14:05</extracomment>
        <translation>Recibirán errores si no ha vuelto a las %1.</translation>
    </message>
    <message>
        <source>“%1” has lost its connection</source>
        <translation>«%1» ha perdido la conexión</translation>
    </message>
    <message>
        <source>Programs that use it wait until it is back.</source>
        <translation>Los programas que lo usan esperan hasta que vuelva.</translation>
    </message>
    <message>
        <source>“%1” does not answer</source>
        <translation>«%1» no responde</translation>
    </message>
    <message>
        <source>“%1” was unplugged</source>
        <translation>«%1» se ha desconectado</translation>
    </message>
    <message>
        <source>%1 are not saved yet.</source>
        <translation>%1 todavía no están guardados.</translation>
    </message>
    <message>
        <source>“%1”: %2</source>
        <extracomment>A device and what is the matter with it, e.g. &quot;“disk”: Stopped waiting&quot;</extracomment>
        <translation>«%1»: %2</translation>
    </message>
    <message>
        <source>“%1” is back</source>
        <translation>«%1» ha vuelto</translation>
    </message>
    <message>
        <source>Programs that got errors may have to be started again.</source>
        <translation>Puede que haya que reiniciar los programas que recibieron errores.</translation>
    </message>
    <message>
        <source>Programs that waited for it go on.</source>
        <translation>Los programas que lo esperaban continúan.</translation>
    </message>
</context>
<context>
    <name>belay::ui::Details</name>
    <message>
        <source>Nobody</source>
        <translation>Nadie</translation>
    </message>
    <message>
        <source>State:</source>
        <translation>Estado:</translation>
    </message>
    <message>
        <source>Why:</source>
        <translation>Motivo:</translation>
    </message>
    <message>
        <source>Gadget:</source>
        <translation>Gadget:</translation>
    </message>
    <message>
        <source>Kind:</source>
        <translation>Tipo:</translation>
    </message>
    <message>
        <source>%1, read-only</source>
        <translation>%1, solo lectura</translation>
    </message>
    <message>
        <source>Where:</source>
        <translation>Dónde:</translation>
    </message>
    <message>
        <source>Size:</source>
        <translation>Tamaño:</translation>
    </message>
    <message>
        <source>%1 (%2 bytes, in blocks of %3)</source>
        <extracomment>%1 is a size such as 3.2 MB, %2 the same in bytes, %3 the size of a block in bytes</extracomment>
        <translation>%1 (%2 bytes, en bloques de %3)</translation>
    </message>
    <message>
        <source>Used by:</source>
        <translation>En uso por:</translation>
    </message>
    <message>
        <source>The gadget knows</source>
        <translation>Solo lo sabe el gadget</translation>
    </message>
    <message>
        <source>If unplugged:</source>
        <translation>Si se desconecta:</translation>
    </message>
    <message>
        <source>Moved:</source>
        <translation>Transferido:</translation>
    </message>
    <message>
        <source>%1 read, %2 written</source>
        <extracomment>%1 and %2 are sizes such as 3.2 MB</extracomment>
        <translation>%1 leídos, %2 escritos</translation>
    </message>
    <message>
        <source>Restarts survived:</source>
        <translation>Reinicios superados:</translation>
    </message>
    <message>
        <source>Identity:</source>
        <translation>Identidad:</translation>
    </message>
    <message>
        <source>About the selected device</source>
        <translation>Sobre el dispositivo seleccionado</translation>
    </message>
    <message>
        <source>In &amp;flight</source>
        <extracomment>Requests that are not answered yet; a page&apos;s title</extracomment>
        <translation>En c&amp;urso</translation>
    </message>
    <message>
        <source>&amp;Events</source>
        <translation>&amp;Eventos</translation>
    </message>
    <message>
        <source>De&amp;tails</source>
        <translation>De&amp;talles</translation>
    </message>
    <message>
        <source>Requests in flight</source>
        <translation>Peticiones en curso</translation>
    </message>
    <message>
        <source>About the requests in flight</source>
        <translation>Sobre las peticiones en curso</translation>
    </message>
    <message>
        <source>Events</source>
        <translation>Eventos</translation>
    </message>
    <message>
        <source>&amp;Copy report</source>
        <translation>Cop&amp;iar informe</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>Copiar informe</translation>
    </message>
    <message>
        <source>Puts all that is known about this device on the clipboard, for a report of a fault</source>
        <translation>Copia al portapapeles todo lo que se sabe de este dispositivo, para informar de un fallo</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Detalles</translation>
    </message>
    <message>
        <source>Select a device to see its requests</source>
        <translation>Seleccione un dispositivo para ver sus peticiones</translation>
    </message>
    <message>
        <source>No requests are in flight</source>
        <translation>No hay peticiones en curso</translation>
    </message>
    <message>
        <source>The requests cannot be listed just now</source>
        <translation>Ahora mismo no se pueden mostrar las peticiones</translation>
    </message>
    <message>
        <source>H&amp;istory</source>
        <translation>&amp;Historial</translation>
    </message>
    <message>
        <source>Its requests, its history, its events, and all else</source>
        <translation>Sus peticiones, su historial, sus sucesos y todo lo demás</translation>
    </message>
    <message>
        <source>A row for each request that is not answered yet</source>
        <translation>Una fila por cada petición que aún no tiene respuesta</translation>
    </message>
    <message>
        <source>What happened to the device, the newest first</source>
        <translation>Lo que le ha ocurrido al dispositivo, lo más reciente primero</translation>
    </message>
    <message>
        <source>All that is known of the device</source>
        <translation>Todo lo que se sabe del dispositivo</translation>
    </message>
</context>
<context>
    <name>belay::ui::DeviceActions</name>
    <message>
        <source>“%1” is not back yet.</source>
        <translation>«%1» todavía no ha vuelto.</translation>
    </message>
    <message>
        <source>Data may be missing</source>
        <translation>Pueden faltar datos</translation>
    </message>
    <message>
        <source>“%1” lost data that it had taken</source>
        <translation>«%1» ha perdido datos que había aceptado</translation>
    </message>
    <message>
        <source>The other end restarted before it had saved everything. Going on hides that from the programs that wrote the data. Stop the device and check the disk instead, unless you know that nothing important was being written.</source>
        <translation>El otro extremo se reinició antes de guardarlo todo. Si se continúa, los programas que escribieron los datos no lo sabrán. Es mejor detener el dispositivo y comprobar el disco, salvo que sepa que no se estaba escribiendo nada importante.</translation>
    </message>
    <message>
        <source>Go on without it</source>
        <translation>Continuar sin ellos</translation>
    </message>
    <message>
        <source>“%1” could not be stopped.</source>
        <translation>No se pudo detener «%1».</translation>
    </message>
    <message>
        <source>Plug the gadget in and stop it again to lose nothing.</source>
        <translation>Conecte el gadget y deténgalo de nuevo para no perder nada.</translation>
    </message>
    <message>
        <source>Unmount it or close these programs first, then stop it again.</source>
        <translation>Primero desmóntelo o cierre estos programas y después deténgalo de nuevo.</translation>
    </message>
    <message>
        <source>%1 that were written and not saved will be lost.</source>
        <extracomment>%1 is a size such as 3.2 MB</extracomment>
        <translation>Se perderán %1 escritos y no guardados.</translation>
    </message>
    <message numerus="yes">
        <source>%n request(s) that are held will fail.</source>
        <translation>
            <numerusform>Fallará %n petición retenida.</numerusform>
            <numerusform>Fallarán %n peticiones retenidas.</numerusform>
        </translation>
    </message>
    <message>
        <source>Programs that use it will get errors, and what they have not written yet is lost.</source>
        <translation>Los programas que lo usan recibirán errores y se perderá lo que todavía no hayan escrito.</translation>
    </message>
    <message>
        <source>If you force it to stop now: %1</source>
        <translation>Si fuerza la detención ahora: %1</translation>
    </message>
    <message>
        <source>Stop the device</source>
        <translation>Detener el dispositivo</translation>
    </message>
    <message>
        <source>“%1” cannot be stopped safely now</source>
        <translation>«%1» no se puede detener ahora de forma segura</translation>
    </message>
    <message>
        <source>“%1” is in use</source>
        <translation>«%1» está en uso</translation>
    </message>
    <message>
        <source>Force stop</source>
        <translation>Forzar detención</translation>
    </message>
    <message>
        <source>This was not changed.</source>
        <translation>Esto no se ha cambiado.</translation>
    </message>
    <message>
        <source>Other time…</source>
        <translation>Otro tiempo…</translation>
    </message>
    <message>
        <source>Wait for the cable</source>
        <translation>Esperar al cable</translation>
    </message>
    <message>
        <source>When the gadget is unplugged, hold requests for at most this many minutes:</source>
        <translation>Cuando se desconecte el gadget, retener las peticiones como máximo estos minutos:</translation>
    </message>
    <message>
        <source>A password will be asked for</source>
        <translation>Se pedirá una contraseña</translation>
    </message>
</context>
<context>
    <name>belay::ui::DeviceModel</name>
    <message>
        <source>Device</source>
        <translation>Dispositivo</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>Dónde</translation>
    </message>
    <message>
        <source>Throughput</source>
        <translation>Velocidad</translation>
    </message>
    <message>
        <source>In flight</source>
        <extracomment>Requests that are not answered yet; a column&apos;s heading</extracomment>
        <translation>En curso</translation>
    </message>
    <message>
        <source>Unsaved</source>
        <extracomment>Bytes written and not saved yet; a column&apos;s heading</extracomment>
        <translation>Sin guardar</translation>
    </message>
    <message>
        <source>Actions</source>
        <translation>Acciones</translation>
    </message>
    <message>
        <source>oldest %1</source>
        <extracomment>%1 is the age of the oldest request, e.g. 4.2 s</extracomment>
        <translation>la más antigua: %1</translation>
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
        <translation>Recuperar</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Detener</translation>
    </message>
    <message>
        <source>Tries at once to bring the device back</source>
        <translation>Intenta recuperar el dispositivo de inmediato</translation>
    </message>
    <message>
        <source>Saves what is not saved and removes the device</source>
        <translation>Guarda lo que no está guardado y quita el dispositivo</translation>
    </message>
    <message>
        <source>Recover %1</source>
        <extracomment>Read to blind users; %1 is a device</extracomment>
        <translation>Recuperar %1</translation>
    </message>
    <message>
        <source>Stop %1</source>
        <extracomment>Read to blind users; %1 is a device</extracomment>
        <translation>Detener %1</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>Dispositivos</translation>
    </message>
    <message>
        <source>A row for each device: its state, where it is, and its requests</source>
        <translation>Una fila por dispositivo: su estado, dónde está y sus peticiones</translation>
    </message>
</context>
<context>
    <name>belay::ui::EventModel</name>
    <message>
        <source>Time</source>
        <translation>Hora</translation>
    </message>
    <message>
        <source>About</source>
        <extracomment>What an event is about: a device, a gadget or the service; a column&apos;s heading</extracomment>
        <translation>Asunto</translation>
    </message>
    <message>
        <source>What happened</source>
        <translation>Qué ocurrió</translation>
    </message>
</context>
<context>
    <name>belay::ui::GadgetActions</name>
    <message>
        <source>read-only</source>
        <translation>solo lectura</translation>
    </message>
    <message>
        <source>attached</source>
        <translation>conectado</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <extracomment>A share: %1 is its name, %2 its size and what else there is to say</extracomment>
        <translation>%1 (%2)</translation>
    </message>
    <message>
        <source>This gadget shares nothing</source>
        <translation>Este gadget no comparte nada</translation>
    </message>
    <message>
        <source>Attach everything automatically</source>
        <translation>Conectar todo automáticamente</translation>
    </message>
    <message>
        <source>This was not changed.</source>
        <translation>Esto no se ha cambiado.</translation>
    </message>
    <message>
        <source>It could not be attached.</source>
        <translation>No se pudo conectar.</translation>
    </message>
    <message>
        <source>Tick “Read-only” to lend it without writing to it.</source>
        <translation>Marque «Solo lectura» para prestarlo sin que se escriba en él.</translation>
    </message>
    <message>
        <source>“%1” cannot be opened: %2. %3</source>
        <translation>No se puede abrir «%1»: %2. %3</translation>
    </message>
    <message>
        <source>“%1” is neither a file nor a block device. Choose a disk image.</source>
        <translation>«%1» no es ni un archivo ni un dispositivo de bloques. Elija una imagen de disco.</translation>
    </message>
    <message>
        <source>It could not be lent.</source>
        <translation>No se pudo prestar.</translation>
    </message>
    <message>
        <source>The gadget was not forgotten.</source>
        <translation>El gadget no se ha olvidado.</translation>
    </message>
</context>
<context>
    <name>belay::ui::GadgetModel</name>
    <message>
        <source>Port %1</source>
        <extracomment>%1 is a USB port such as 1-2.3</extracomment>
        <translation>Puerto %1</translation>
    </message>
</context>
<context>
    <name>belay::ui::HistoryView</name>
    <message>
        <source>History</source>
        <translation>Historial</translation>
    </message>
    <message>
        <source>%1 for %2</source>
        <extracomment>Read to blind users: a state and how long it lasted</extracomment>
        <translation>%1 durante %2</translation>
    </message>
    <message>
        <source>Read</source>
        <translation>Leído</translation>
    </message>
    <message>
        <source>Written</source>
        <translation>Escrito</translation>
    </message>
    <message>
        <source>now</source>
        <extracomment>How long ago; %1 is a duration such as 4:00</extracomment>
        <translation>ahora</translation>
    </message>
    <message>
        <source>%1 ago</source>
        <translation>hace %1</translation>
    </message>
    <message>
        <source>Select a device to see what it has done</source>
        <translation>Seleccione un dispositivo para ver qué ha hecho</translation>
    </message>
</context>
<context>
    <name>belay::ui::LendDialog</name>
    <message>
        <source>&amp;Read-only: the gadget cannot write to it</source>
        <translation>Solo &amp;lectura: el gadget no puede escribir en él</translation>
    </message>
    <message>
        <source>Lend an image to %1</source>
        <extracomment>The title of a dialog; %1 is a gadget&apos;s name</extracomment>
        <translation>Prestar una imagen a %1</translation>
    </message>
    <message>
        <source>&amp;Browse…</source>
        <translation>&amp;Examinar…</translation>
    </message>
    <message>
        <source>Browse for the file</source>
        <translation>Buscar el archivo</translation>
    </message>
    <message>
        <source>File to lend</source>
        <translation>Archivo que se presta</translation>
    </message>
    <message>
        <source>Name on the gadget</source>
        <translation>Nombre en el gadget</translation>
    </message>
    <message>
        <source>Read-only</source>
        <translation>Solo lectura</translation>
    </message>
    <message>
        <source>About this file</source>
        <translation>Sobre este archivo</translation>
    </message>
    <message>
        <source>&amp;File:</source>
        <translation>&amp;Archivo:</translation>
    </message>
    <message>
        <source>&amp;Name:</source>
        <translation>&amp;Nombre:</translation>
    </message>
    <message>
        <source>&amp;Lend</source>
        <translation>&amp;Prestar</translation>
    </message>
    <message>
        <source>Choose what to lend</source>
        <translation>Elegir qué prestar</translation>
    </message>
    <message>
        <source>Disk images (*.img *.iso *.raw)</source>
        <translation>Imágenes de disco (*.img *.iso *.raw)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Todos los archivos (*)</translation>
    </message>
    <message>
        <source>Choose a disk image or a block device. It becomes a disk on the gadget; keep it where it is while it is lent.</source>
        <translation>Elija una imagen de disco o un dispositivo de bloques. Se convertirá en un disco del gadget; no lo mueva mientras esté prestado.</translation>
    </message>
    <message>
        <source>There is no such file.</source>
        <translation>Ese archivo no existe.</translation>
    </message>
    <message>
        <source>This is a folder. Choose a disk image.</source>
        <translation>Esto es una carpeta. Elija una imagen de disco.</translation>
    </message>
    <message>
        <source>You may not write to this file, so it can be lent read-only.</source>
        <translation>No tiene permiso para escribir en este archivo; solo puede prestarse en modo de lectura.</translation>
    </message>
    <message>
        <source>%1 will be a disk of this size on the gadget.</source>
        <translation>En el gadget será un disco de este tamaño: %1.</translation>
    </message>
    <message>
        <source>Opens a dialog in which to choose it</source>
        <translation>Abre una ventana para elegirlo</translation>
    </message>
    <message>
        <source>A disk image or a block device</source>
        <translation>Una imagen de disco o un dispositivo de bloques</translation>
    </message>
    <message>
        <source>The file&apos;s own name, if this is empty</source>
        <translation>El nombre del archivo, si se deja vacío</translation>
    </message>
    <message>
        <source>The gadget cannot write to it</source>
        <translation>El gadget no puede escribir en él</translation>
    </message>
    <message>
        <source>Lend</source>
        <translation>Prestar</translation>
    </message>
    <message>
        <source>Gives the file to the gadget as a disk</source>
        <translation>Da el archivo al gadget como disco</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Cancelar</translation>
    </message>
    <message>
        <source>Lends nothing</source>
        <translation>No presta nada</translation>
    </message>
    <message>
        <source>Block size</source>
        <translation>Tamaño de bloque</translation>
    </message>
    <message>
        <source>Automatic</source>
        <extracomment>The block size is chosen by Belay</extracomment>
        <translation>Automático</translation>
    </message>
    <message>
        <source>%1 bytes</source>
        <extracomment>A block size; %1 is a number</extracomment>
        <translation>%1 bytes</translation>
    </message>
    <message>
        <source>Bloc&amp;k size:</source>
        <translation>Tamaño de &amp;bloque:</translation>
    </message>
    <message>
        <source>A partition table is found only with the block size that it was made for. “Automatic” takes a block device’s own size. Of a file it takes the size that it was lent with last; without one, 4096 bytes if its partition table was made for that, and else 512.</source>
        <translation>Una tabla de particiones solo se encuentra con el tamaño de bloque para el que se creó. «Automático» toma el tamaño propio de un dispositivo de bloques. De un archivo toma el tamaño con el que se prestó la última vez; si no hay ninguno, 4096 bytes si su tabla de particiones se creó para eso y, si no, 512.</translation>
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
        <translation>Estado del servicio</translation>
    </message>
    <message>
        <source>What went wrong</source>
        <translation>Qué falló</translation>
    </message>
    <message>
        <source>&amp;Recover</source>
        <translation>&amp;Recuperar</translation>
    </message>
    <message>
        <source>Ctrl+R</source>
        <translation>Ctrl+R</translation>
    </message>
    <message>
        <source>Tries at once to bring the device back</source>
        <translation>Intenta recuperar el dispositivo de inmediato</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>&amp;Detener</translation>
    </message>
    <message>
        <source>Ctrl+D</source>
        <translation>Ctrl+D</translation>
    </message>
    <message>
        <source>Saves what is not saved and removes the device</source>
        <translation>Guarda lo que no está guardado y quita el dispositivo</translation>
    </message>
    <message>
        <source>&amp;Copy report</source>
        <translation>&amp;Copiar informe</translation>
    </message>
    <message>
        <source>Ctrl+Shift+C</source>
        <translation>Ctrl+Shift+C</translation>
    </message>
    <message>
        <source>&amp;Lend an image…</source>
        <translation>&amp;Prestar una imagen…</translation>
    </message>
    <message>
        <source>Ctrl+L</source>
        <translation>Ctrl+L</translation>
    </message>
    <message>
        <source>&amp;Forget this gadget</source>
        <translation>&amp;Olvidar este gadget</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Salir</translation>
    </message>
    <message>
        <source>&amp;Attach</source>
        <translation>&amp;Conectar</translation>
    </message>
    <message>
        <source>If &amp;unplugged</source>
        <translation>Si se desc&amp;onecta</translation>
    </message>
    <message>
        <source>&amp;Gadget</source>
        <translation>&amp;Gadget</translation>
    </message>
    <message>
        <source>&amp;Device</source>
        <translation>&amp;Dispositivo</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>A&amp;yuda</translation>
    </message>
    <message>
        <source>&amp;About Belay</source>
        <translation>&amp;Acerca de Belay</translation>
    </message>
    <message>
        <source>Menu bar</source>
        <translation>Barra de menús</translation>
    </message>
    <message>
        <source>Gadgets</source>
        <translation>Gadgets</translation>
    </message>
    <message>
        <source>The phones and boards that are or were plugged in. Drop an image on one to lend it.</source>
        <translation>Los teléfonos y las placas que están o estuvieron conectados. Suelte una imagen sobre uno para prestarla.</translation>
    </message>
    <message>
        <source>No gadget yet</source>
        <translation>Todavía no hay ningún gadget</translation>
    </message>
    <message>
        <source>Plug in a phone or a board on which belay-gadget runs.</source>
        <translation>Conecte un teléfono o una placa en la que se ejecute belay-gadget.</translation>
    </message>
    <message>
        <source>Attach a share of the gadget</source>
        <translation>Conectar un recurso compartido del gadget</translation>
    </message>
    <message>
        <source>Lend an image to the gadget</source>
        <translation>Prestar una imagen al gadget</translation>
    </message>
    <message>
        <source>Asking the helper service…</source>
        <translation>Consultando al servicio auxiliar…</translation>
    </message>
    <message>
        <source>The helper service is restarting. Nothing is lost: disks that were in use go on without it.</source>
        <translation>El servicio auxiliar se está reiniciando. No se pierde nada: los discos en uso siguen funcionando sin él.</translation>
    </message>
    <message>
        <source>The helper service belayd is not installed on this computer. Install Belay&apos;s package, or run “cmake --install” for the folder it was built in.</source>
        <translation>El servicio auxiliar belayd no está instalado en este equipo. Instale el paquete de Belay o ejecute «cmake --install» para la carpeta en la que se compiló.</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Reintentar</translation>
    </message>
    <message>
        <source>The helper service cannot be reached: %1 Look at “journalctl -u belayd”.</source>
        <translation>No se puede contactar con el servicio auxiliar: %1 Consulte «journalctl -u belayd».</translation>
    </message>
    <message>
        <source>There is no system bus here: %1 Start dbus, then start Belay again.</source>
        <translation>Aquí no hay bus del sistema: %1 Inicie dbus y después vuelva a iniciar Belay.</translation>
    </message>
    <message>
        <source>Nothing to show</source>
        <translation>Nada que mostrar</translation>
    </message>
    <message>
        <source>The helper service is not there.</source>
        <translation>El servicio auxiliar no está.</translation>
    </message>
    <message>
        <source>Plug in a gadget</source>
        <translation>Conecte un gadget</translation>
    </message>
    <message>
        <source>On the gadget, run “belay-gadget --share FILE” to give this computer a disk, or “belay-gadget --lend-ready” to borrow one from it. Then plug the gadget in here.</source>
        <translation>En el gadget, ejecute «belay-gadget --share ARCHIVO» para dar un disco a este equipo, o «belay-gadget --lend-ready» para que este equipo le preste uno. Después conecte aquí el gadget.</translation>
    </message>
    <message>
        <source>No disks yet</source>
        <translation>Todavía no hay discos</translation>
    </message>
    <message>
        <source>Press Attach to use what the gadget shares as a disk of this computer, or Lend an image to give the gadget a disk.</source>
        <translation>Pulse Conectar para usar lo que comparte el gadget como un disco de este equipo, o Prestar una imagen para dar un disco al gadget.</translation>
    </message>
    <message>
        <source>About Belay</source>
        <translation>Acerca de Belay</translation>
    </message>
    <message>
        <source>Belay %1</source>
        <translation>Belay %1</translation>
    </message>
    <message>
        <source>Disks over a USB cable that survive the cable being pulled.</source>
        <translation>Discos por un cable USB que sobreviven aunque se desconecte el cable.</translation>
    </message>
    <message>
        <source>All that can be done with gadgets and devices</source>
        <translation>Todo lo que se puede hacer con gadgets y dispositivos</translation>
    </message>
    <message>
        <source>Makes a disk of this computer of what it shares</source>
        <translation>Convierte lo que comparte en un disco de este equipo</translation>
    </message>
    <message>
        <source>Gives the gadget a disk whose bytes stay here</source>
        <translation>Da al gadget un disco cuyos bytes se quedan aquí</translation>
    </message>
</context>
<context>
    <name>belay::ui::MessageBar</name>
    <message>
        <source>%1: message</source>
        <extracomment>Read to blind users; %1 is what the bar is about</extracomment>
        <translation>%1: mensaje</translation>
    </message>
    <message>
        <source>Close this message</source>
        <translation>Cerrar este mensaje</translation>
    </message>
    <message>
        <source>No action</source>
        <translation>Ninguna acción</translation>
    </message>
    <message>
        <source>What it is about goes on</source>
        <translation>Aquello de lo que trata continúa</translation>
    </message>
    <message>
        <source>What can be done about the message</source>
        <translation>Lo que se puede hacer con este mensaje</translation>
    </message>
</context>
<context>
    <name>belay::ui::Notifications</name>
    <message>
        <source>Details</source>
        <translation>Detalles</translation>
    </message>
    <message>
        <source>Recover</source>
        <translation>Recuperar</translation>
    </message>
</context>
<context>
    <name>belay::ui::RequestModel</name>
    <message>
        <source>Operation</source>
        <translation>Operación</translation>
    </message>
    <message>
        <source>Offset</source>
        <extracomment>Where on the disk a request begins, in bytes; a column&apos;s heading</extracomment>
        <translation>Posición</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>Longitud</translation>
    </message>
    <message>
        <source>Age</source>
        <translation>Antigüedad</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Estado</translation>
    </message>
</context>
<context>
    <name>belay::ui::Service</name>
    <message>
        <source>The helper service ended meanwhile. Look at the device&apos;s state.</source>
        <translation>El servicio auxiliar terminó entretanto. Mire el estado del dispositivo.</translation>
    </message>
    <message>
        <source>Its outcome is not known.</source>
        <translation>No se conoce el resultado.</translation>
    </message>
</context>
<context>
    <name>belay::ui::Tray</name>
    <message>
        <source>Show &amp;window</source>
        <translation>&amp;Mostrar la ventana</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Salir</translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) need attention</source>
        <translation>
            <numerusform>%n dispositivo necesita atención</numerusform>
            <numerusform>%n dispositivos necesitan atención</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) unplugged, waiting</source>
        <translation>
            <numerusform>%n dispositivo desconectado, en espera</numerusform>
            <numerusform>%n dispositivos desconectados, en espera</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) in use</source>
        <translation>
            <numerusform>%n dispositivo en uso</numerusform>
            <numerusform>%n dispositivos en uso</numerusform>
        </translation>
    </message>
    <message>
        <source>No devices</source>
        <translation>Ningún dispositivo</translation>
    </message>
    <message>
        <source>The helper service is not there.</source>
        <translation>El servicio auxiliar no está.</translation>
    </message>
    <message>
        <source>&amp;Recover</source>
        <translation>&amp;Recuperar</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>&amp;Detener</translation>
    </message>
</context>
</TS>
