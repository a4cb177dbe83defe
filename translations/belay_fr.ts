<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr">
<context>
    <name>EventWords</name>
    <message>
        <source>%1, by user %2</source>
        <extracomment>Something that was asked for, and the number of who did, e.g. &quot;Stop, by user 1000&quot;</extracomment>
        <translation>%1, par l’utilisateur %2</translation>
    </message>
    <message>
        <source>“%1” cannot be lent</source>
        <extracomment>%1 is the name of a file</extracomment>
        <translation>«&#xa0;%1&#xa0;» ne peut pas être prêté</translation>
    </message>
    <message>
        <source>A new service has taken over</source>
        <translation>Un nouveau service a pris le relais</translation>
    </message>
    <message>
        <source>Plugged in at port %1</source>
        <extracomment>%1 is a USB port, such as 1-2</extracomment>
        <translation>Branché sur le port %1</translation>
    </message>
    <message>
        <source>Unplugged</source>
        <translation>Débranché</translation>
    </message>
    <message>
        <source>Attach “%1”</source>
        <extracomment>%1 is the label of a disk that the gadget shares</extracomment>
        <translation>Attacher «&#xa0;%1&#xa0;»</translation>
    </message>
    <message>
        <source>Lend “%1”</source>
        <extracomment>%1 is the name of a file</extracomment>
        <translation>Prêter «&#xa0;%1&#xa0;»</translation>
    </message>
    <message>
        <source>Lend “%1”, read-only</source>
        <translation>Prêter «&#xa0;%1&#xa0;» en lecture seule</translation>
    </message>
    <message>
        <source>Attach everything automatically</source>
        <translation>Tout attacher automatiquement</translation>
    </message>
    <message>
        <source>Attach nothing automatically</source>
        <translation>Ne rien attacher automatiquement</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Oublier</translation>
    </message>
    <message>
        <source>Recover</source>
        <translation>Rétablir</translation>
    </message>
    <message>
        <source>Go on without the lost data</source>
        <translation>Continuer sans les données perdues</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Arrêter</translation>
    </message>
    <message>
        <source>Force stop</source>
        <translation>Forcer l’arrêt</translation>
    </message>
    <message>
        <source>If unplugged: %1</source>
        <extracomment>%1 is what is to happen while the gadget is unplugged, such as &quot;Keep waiting&quot;</extracomment>
        <translation>Si débranché&#xa0;: %1</translation>
    </message>
    <message>
        <source>Read the partition table again</source>
        <translation>Relire la table des partitions</translation>
    </message>
    <message>
        <source>The service for this gadget has ended</source>
        <translation>Le service de ce gadget s’est arrêté</translation>
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
        <translation>Gadget sur le port %1</translation>
    </message>
</context>
<context>
    <name>Program</name>
    <message>
        <source>Disks over a USB cable that survive the cable being pulled.</source>
        <translation>Des disques par câble USB qui survivent au débranchement du câble.</translation>
    </message>
    <message>
        <source>Starts in the tray, without a window if there is a tray.</source>
        <translation>Démarre dans la zone de notification, sans fenêtre s’il y en a une.</translation>
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
        <translation>Prêt, enregistrement</translation>
    </message>
    <message>
        <source>%1, do not unplug</source>
        <extracomment>%1 is a size such as 3.2 MB</extracomment>
        <translation>%1, ne pas débrancher</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>Prêt</translation>
    </message>
    <message>
        <source>safe to unplug</source>
        <translation>peut être débranché</translation>
    </message>
    <message>
        <source>for %1</source>
        <extracomment>%1 is a duration such as 0:42</extracomment>
        <translation>depuis %1</translation>
    </message>
    <message numerus="yes">
        <source>%n request(s) held</source>
        <translation>
            <numerusform>%n requête retenue</numerusform>
            <numerusform>%n requêtes retenues</numerusform>
        </translation>
    </message>
    <message>
        <source>gives up in %1</source>
        <extracomment>%1 is a duration such as 0:42</extracomment>
        <translation>abandonne dans %1</translation>
    </message>
    <message>
        <source>Unplugged, waiting</source>
        <translation>Débranché, en attente</translation>
    </message>
    <message>
        <source>Needs attention</source>
        <translation>Demande de l’attention</translation>
    </message>
    <message>
        <source>Different disk</source>
        <translation>Autre disque</translation>
    </message>
    <message>
        <source>Nothing was sent to it. Plug in the right one, or stop the device.</source>
        <translation>Rien ne lui a été envoyé. Branchez le bon, ou arrêtez le périphérique.</translation>
    </message>
    <message>
        <source>Data may be missing</source>
        <translation>Des données manquent peut-être</translation>
    </message>
    <message>
        <source>The other end lost what it had not saved. Check the disk.</source>
        <translation>L’autre bout a perdu ce qu’il n’avait pas enregistré. Vérifiez le disque.</translation>
    </message>
    <message>
        <source>Peer too old</source>
        <translation>Autre bout trop ancien</translation>
    </message>
    <message>
        <source>Update Belay at the other end.</source>
        <translation>Mettez Belay à jour à l’autre bout.</translation>
    </message>
    <message>
        <source>Cannot restart</source>
        <translation>Redémarrage impossible</translation>
    </message>
    <message>
        <source>Press Recover to try again, or stop the device.</source>
        <translation>Appuyez sur Rétablir pour réessayer, ou arrêtez le périphérique.</translation>
    </message>
    <message numerus="yes">
        <source>%n request(s) to go</source>
        <translation>
            <numerusform>encore %n requête</numerusform>
            <numerusform>encore %n requêtes</numerusform>
        </translation>
    </message>
    <message>
        <source>nothing is lost</source>
        <translation>rien n’est perdu</translation>
    </message>
    <message>
        <source>Programs got errors. Press Recover once it is plugged in again.</source>
        <translation>Des programmes ont reçu des erreurs. Appuyez sur Rétablir une fois qu’il est rebranché.</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Connexion…</translation>
    </message>
    <message>
        <source>Catching up…</source>
        <translation>Rattrapage…</translation>
    </message>
    <message>
        <source>Restarting service…</source>
        <translation>Redémarrage du service…</translation>
    </message>
    <message>
        <source>Stopped waiting</source>
        <translation>N’attend plus</translation>
    </message>
    <message>
        <source>Disconnecting…</source>
        <translation>Déconnexion…</translation>
    </message>
    <message>
        <source>Disconnected</source>
        <translation>Déconnecté</translation>
    </message>
    <message>
        <source>Not plugged in</source>
        <translation>Non branché</translation>
    </message>
    <message>
        <source>Connected</source>
        <translation>Connecté</translation>
    </message>
    <message>
        <source>Not compatible</source>
        <translation>Incompatible</translation>
    </message>
    <message>
        <source>Trouble</source>
        <translation>Problème</translation>
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
        <translation>Continuer d’attendre</translation>
    </message>
    <message>
        <source>Wait up to %1</source>
        <extracomment>%1 is a duration such as 5:00</extracomment>
        <translation>Attendre jusqu’à %1</translation>
    </message>
    <message>
        <source>Fail after 5 seconds</source>
        <translation>Échouer après 5 secondes</translation>
    </message>
    <message>
        <source>Lent to the gadget</source>
        <translation>Prêté au gadget</translation>
    </message>
    <message>
        <source>From the gadget</source>
        <translation>Du gadget</translation>
    </message>
    <message>
        <source>Mounted at %1</source>
        <extracomment>%1 is a mount point</extracomment>
        <translation>Monté sur %1</translation>
    </message>
    <message>
        <source>Used by %1</source>
        <extracomment>%1 is a process, e.g. &quot;1234 (dd)&quot;</extracomment>
        <translation>Utilisé par %1</translation>
    </message>
    <message>
        <source>Used as swap space</source>
        <translation>Utilisé comme espace d’échange</translation>
    </message>
    <message>
        <source>Part of %1</source>
        <extracomment>%1 is another block device</extracomment>
        <translation>Fait partie de %1</translation>
    </message>
    <message>
        <source>Read</source>
        <translation>Lire</translation>
    </message>
    <message>
        <source>Write</source>
        <translation>Écrire</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Enregistrer</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Abandonner</translation>
    </message>
    <message>
        <source>Write zeroes</source>
        <translation>Écrire des zéros</translation>
    </message>
    <message>
        <source>Sent</source>
        <translation>Envoyée</translation>
    </message>
    <message>
        <source>Held</source>
        <translation>Retenue</translation>
    </message>
    <message>
        <source>Held, will be sent again</source>
        <translation>Retenue, sera renvoyée</translation>
    </message>
    <message>
        <source>Answered</source>
        <translation>Répondue</translation>
    </message>
    <message>
        <source>The administrator does not allow this.</source>
        <translation>L’administrateur ne le permet pas.</translation>
    </message>
    <message>
        <source>A password is needed, and no program is running that could ask for it. Start your desktop&apos;s authentication agent, or use the command line as root.</source>
        <translation>Un mot de passe est nécessaire, et aucun programme qui pourrait le demander n’est en marche. Démarrez l’agent d’authentification de votre bureau, ou utilisez la ligne de commande en tant que root.</translation>
    </message>
    <message>
        <source>The gadget is not there. Plug it in and try again.</source>
        <translation>Le gadget n’est pas là. Branchez-le et réessayez.</translation>
    </message>
    <message>
        <source>What is not saved yet cannot be saved now. Plug the gadget in and try again.</source>
        <translation>Ce qui n’est pas encore enregistré ne peut pas l’être maintenant. Branchez le gadget et réessayez.</translation>
    </message>
    <message>
        <source>This is not the disk that went away. Plug in the right one.</source>
        <translation>Ce n’est pas le disque qui est parti. Branchez le bon.</translation>
    </message>
    <message>
        <source>It is gone meanwhile.</source>
        <translation>Il n’est plus là.</translation>
    </message>
    <message>
        <source>%1 are not saved yet: keep the gadget switched on.</source>
        <extracomment>%1 is a size such as 3.2 MB</extracomment>
        <translation>%1 ne sont pas encore enregistrés&#xa0;: laissez le gadget allumé.</translation>
    </message>
    <message>
        <source>Choose Recover, or unplug it and plug it in again.</source>
        <translation>Choisissez Rétablir, ou débranchez-le et rebranchez-le.</translation>
    </message>
    <message>
        <source>Plug it back in. Programs that use it wait until then.</source>
        <translation>Rebranchez-le. Les programmes qui l’utilisent attendent jusque-là.</translation>
    </message>
    <message>
        <source>They get errors if it is not back by %1.</source>
        <extracomment>%1 is a time such as 14:05</extracomment>
        <translation>Ils recevront des erreurs s’il n’est pas revenu à %1.</translation>
    </message>
    <message>
        <source>“%1” has lost its connection</source>
        <translation>«&#xa0;%1&#xa0;» a perdu la connexion</translation>
    </message>
    <message>
        <source>Programs that use it wait until it is back.</source>
        <translation>Les programmes qui l’utilisent attendent qu’il revienne.</translation>
    </message>
    <message>
        <source>“%1” does not answer</source>
        <translation>«&#xa0;%1&#xa0;» ne répond pas</translation>
    </message>
    <message>
        <source>“%1” was unplugged</source>
        <translation>«&#xa0;%1&#xa0;» a été débranché</translation>
    </message>
    <message>
        <source>%1 are not saved yet.</source>
        <translation>%1 ne sont pas encore enregistrés.</translation>
    </message>
    <message>
        <source>“%1”: %2</source>
        <extracomment>A device and what is the matter with it, e.g. &quot;“disk”: Stopped waiting&quot;</extracomment>
        <translation>«&#xa0;%1&#xa0;»&#xa0;: %2</translation>
    </message>
    <message>
        <source>“%1” is back</source>
        <translation>«&#xa0;%1&#xa0;» est revenu</translation>
    </message>
    <message>
        <source>Programs that got errors may have to be started again.</source>
        <translation>Il faut peut-être relancer les programmes qui ont reçu des erreurs.</translation>
    </message>
    <message>
        <source>Programs that waited for it go on.</source>
        <translation>Les programmes qui l’attendaient continuent.</translation>
    </message>
</context>
<context>
    <name>belay::ui::Details</name>
    <message>
        <source>Nobody</source>
        <translation>Personne</translation>
    </message>
    <message>
        <source>State:</source>
        <translation>État&#xa0;:</translation>
    </message>
    <message>
        <source>Why:</source>
        <translation>Raison&#xa0;:</translation>
    </message>
    <message>
        <source>Gadget:</source>
        <translation>Gadget&#xa0;:</translation>
    </message>
    <message>
        <source>Kind:</source>
        <translation>Type&#xa0;:</translation>
    </message>
    <message>
        <source>%1, read-only</source>
        <translation>%1, lecture seule</translation>
    </message>
    <message>
        <source>Where:</source>
        <translation>Où&#xa0;:</translation>
    </message>
    <message>
        <source>Size:</source>
        <translation>Taille&#xa0;:</translation>
    </message>
    <message>
        <source>%1 (%2 bytes, in blocks of %3)</source>
        <extracomment>%1 is a size such as 3.2 MB, %2 the same in bytes, %3 the size of a block in bytes</extracomment>
        <translation>%1 (%2 octets, par blocs de %3)</translation>
    </message>
    <message>
        <source>Used by:</source>
        <translation>Utilisé par&#xa0;:</translation>
    </message>
    <message>
        <source>The gadget knows</source>
        <translation>Seul le gadget le sait</translation>
    </message>
    <message>
        <source>If unplugged:</source>
        <translation>Si débranché&#xa0;:</translation>
    </message>
    <message>
        <source>Moved:</source>
        <translation>Transféré&#xa0;:</translation>
    </message>
    <message>
        <source>%1 read, %2 written</source>
        <extracomment>%1 and %2 are sizes such as 3.2 MB</extracomment>
        <translation>%1 lus, %2 écrits</translation>
    </message>
    <message>
        <source>Restarts survived:</source>
        <translation>Redémarrages surmontés&#xa0;:</translation>
    </message>
    <message>
        <source>Identity:</source>
        <translation>Identité&#xa0;:</translation>
    </message>
    <message>
        <source>About the selected device</source>
        <translation>À propos du périphérique sélectionné</translation>
    </message>
    <message>
        <source>In &amp;flight</source>
        <extracomment>Requests that are not answered yet; a page&apos;s title</extracomment>
        <translation>En &amp;cours</translation>
    </message>
    <message>
        <source>&amp;Events</source>
        <translation>É&amp;vénements</translation>
    </message>
    <message>
        <source>De&amp;tails</source>
        <translation>Dé&amp;tails</translation>
    </message>
    <message>
        <source>Requests in flight</source>
        <translation>Requêtes en cours</translation>
    </message>
    <message>
        <source>About the requests in flight</source>
        <translation>À propos des requêtes en cours</translation>
    </message>
    <message>
        <source>Events</source>
        <translation>Événements</translation>
    </message>
    <message>
        <source>&amp;Copy report</source>
        <translation>C&amp;opier le rapport</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>Copier le rapport</translation>
    </message>
    <message>
        <source>Puts all that is known about this device on the clipboard, for a report of a fault</source>
        <translation>Copie dans le presse-papiers tout ce que l’on sait de ce périphérique, pour signaler un défaut</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Détails</translation>
    </message>
    <message>
        <source>Select a device to see its requests</source>
        <translation>Sélectionnez un périphérique pour voir ses requêtes</translation>
    </message>
    <message>
        <source>No requests are in flight</source>
        <translation>Aucune requête en cours</translation>
    </message>
    <message>
        <source>The requests cannot be listed just now</source>
        <translation>Impossible d’afficher les requêtes pour l’instant</translation>
    </message>
    <message>
        <source>H&amp;istory</source>
        <translation>&amp;Historique</translation>
    </message>
    <message>
        <source>Its requests, its history, its events, and all else</source>
        <translation>Ses requêtes, son historique, ses événements et tout le reste</translation>
    </message>
    <message>
        <source>A row for each request that is not answered yet</source>
        <translation>Une ligne pour chaque requête encore sans réponse</translation>
    </message>
    <message>
        <source>What happened to the device, the newest first</source>
        <translation>Ce qui est arrivé au périphérique, le plus récent d’abord</translation>
    </message>
    <message>
        <source>All that is known of the device</source>
        <translation>Tout ce que l’on sait du périphérique</translation>
    </message>
</context>
<context>
    <name>belay::ui::DeviceActions</name>
    <message>
        <source>“%1” is not back yet.</source>
        <translation>«&#xa0;%1&#xa0;» n’est pas encore revenu.</translation>
    </message>
    <message>
        <source>Data may be missing</source>
        <translation>Des données manquent peut-être</translation>
    </message>
    <message>
        <source>“%1” lost data that it had taken</source>
        <translation>«&#xa0;%1&#xa0;» a perdu des données qu’il avait acceptées</translation>
    </message>
    <message>
        <source>The other end restarted before it had saved everything. Going on hides that from the programs that wrote the data. Stop the device and check the disk instead, unless you know that nothing important was being written.</source>
        <translation>L’autre bout a redémarré avant d’avoir tout enregistré. Continuer le cache aux programmes qui ont écrit les données. Arrêtez plutôt le périphérique et vérifiez le disque, sauf si vous savez que rien d’important n’était en cours d’écriture.</translation>
    </message>
    <message>
        <source>Go on without it</source>
        <translation>Continuer sans elles</translation>
    </message>
    <message>
        <source>“%1” could not be stopped.</source>
        <translation>«&#xa0;%1&#xa0;» n’a pas pu être arrêté.</translation>
    </message>
    <message>
        <source>Plug the gadget in and stop it again to lose nothing.</source>
        <translation>Branchez le gadget et arrêtez-le de nouveau pour ne rien perdre.</translation>
    </message>
    <message>
        <source>Unmount it or close these programs first, then stop it again.</source>
        <translation>Démontez-le ou fermez d’abord ces programmes, puis arrêtez-le de nouveau.</translation>
    </message>
    <message>
        <source>%1 that were written and not saved will be lost.</source>
        <extracomment>%1 is a size such as 3.2 MB</extracomment>
        <translation>%1 écrits et non enregistrés seront perdus.</translation>
    </message>
    <message numerus="yes">
        <source>%n request(s) that are held will fail.</source>
        <translation>
            <numerusform>%n requête retenue échouera.</numerusform>
            <numerusform>%n requêtes retenues échoueront.</numerusform>
        </translation>
    </message>
    <message>
        <source>Programs that use it will get errors, and what they have not written yet is lost.</source>
        <translation>Les programmes qui l’utilisent recevront des erreurs, et ce qu’ils n’ont pas encore écrit est perdu.</translation>
    </message>
    <message>
        <source>If you force it to stop now: %1</source>
        <translation>Si vous forcez l’arrêt maintenant&#xa0;: %1</translation>
    </message>
    <message>
        <source>Stop the device</source>
        <translation>Arrêter le périphérique</translation>
    </message>
    <message>
        <source>“%1” cannot be stopped safely now</source>
        <translation>«&#xa0;%1&#xa0;» ne peut pas être arrêté sans risque maintenant</translation>
    </message>
    <message>
        <source>“%1” is in use</source>
        <translation>«&#xa0;%1&#xa0;» est utilisé</translation>
    </message>
    <message>
        <source>Force stop</source>
        <translation>Forcer l’arrêt</translation>
    </message>
    <message>
        <source>This was not changed.</source>
        <translation>Cela n’a pas été modifié.</translation>
    </message>
    <message>
        <source>Other time…</source>
        <translation>Autre durée…</translation>
    </message>
    <message>
        <source>Wait for the cable</source>
        <translation>Attendre le câble</translation>
    </message>
    <message>
        <source>When the gadget is unplugged, hold requests for at most this many minutes:</source>
        <translation>Quand le gadget est débranché, retenir les requêtes au plus ce nombre de minutes&#xa0;:</translation>
    </message>
    <message>
        <source>A password will be asked for</source>
        <translation>Un mot de passe sera demandé</translation>
    </message>
</context>
<context>
    <name>belay::ui::DeviceModel</name>
    <message>
        <source>Device</source>
        <translation>Périphérique</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>Où</translation>
    </message>
    <message>
        <source>Throughput</source>
        <translation>Débit</translation>
    </message>
    <message>
        <source>In flight</source>
        <extracomment>Requests that are not answered yet; a column&apos;s heading</extracomment>
        <translation>En cours</translation>
    </message>
    <message>
        <source>Unsaved</source>
        <extracomment>Bytes written and not saved yet; a column&apos;s heading</extracomment>
        <translation>Non enregistré</translation>
    </message>
    <message>
        <source>Actions</source>
        <translation>Actions</translation>
    </message>
    <message>
        <source>oldest %1</source>
        <extracomment>%1 is the age of the oldest request, e.g. 4.2 s</extracomment>
        <translation>la plus ancienne&#xa0;: %1</translation>
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
        <translation>Rétablir</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Arrêter</translation>
    </message>
    <message>
        <source>Tries at once to bring the device back</source>
        <translation>Essaie tout de suite de rétablir le périphérique</translation>
    </message>
    <message>
        <source>Saves what is not saved and removes the device</source>
        <translation>Enregistre ce qui ne l’est pas encore et retire le périphérique</translation>
    </message>
    <message>
        <source>Recover %1</source>
        <extracomment>Read to blind users; %1 is a device</extracomment>
        <translation>Rétablir %1</translation>
    </message>
    <message>
        <source>Stop %1</source>
        <extracomment>Read to blind users; %1 is a device</extracomment>
        <translation>Arrêter %1</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>Périphériques</translation>
    </message>
    <message>
        <source>A row for each device: its state, where it is, and its requests</source>
        <translation>Une ligne par périphérique&#xa0;: son état, où il est et ses requêtes</translation>
    </message>
</context>
<context>
    <name>belay::ui::EventModel</name>
    <message>
        <source>Time</source>
        <translation>Heure</translation>
    </message>
    <message>
        <source>About</source>
        <extracomment>What an event is about: a device, a gadget or the service; a column&apos;s heading</extracomment>
        <translation>Objet</translation>
    </message>
    <message>
        <source>What happened</source>
        <translation>Ce qui s’est passé</translation>
    </message>
</context>
<context>
    <name>belay::ui::GadgetActions</name>
    <message>
        <source>read-only</source>
        <translation>lecture seule</translation>
    </message>
    <message>
        <source>attached</source>
        <translation>attaché</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <extracomment>A share: %1 is its name, %2 its size and what else there is to say</extracomment>
        <translation>%1 (%2)</translation>
    </message>
    <message>
        <source>This gadget shares nothing</source>
        <translation>Ce gadget ne partage rien</translation>
    </message>
    <message>
        <source>Attach everything automatically</source>
        <translation>Tout attacher automatiquement</translation>
    </message>
    <message>
        <source>This was not changed.</source>
        <translation>Cela n’a pas été modifié.</translation>
    </message>
    <message>
        <source>It could not be attached.</source>
        <translation>Cela n’a pas pu être attaché.</translation>
    </message>
    <message>
        <source>Tick “Read-only” to lend it without writing to it.</source>
        <translation>Cochez «&#xa0;Lecture seule&#xa0;» pour le prêter sans que rien n’y soit écrit.</translation>
    </message>
    <message>
        <source>“%1” cannot be opened: %2. %3</source>
        <translation>Impossible d’ouvrir «&#xa0;%1&#xa0;»&#xa0;: %2. %3</translation>
    </message>
    <message>
        <source>“%1” is neither a file nor a block device. Choose a disk image.</source>
        <translation>«&#xa0;%1&#xa0;» n’est ni un fichier ni un périphérique bloc. Choisissez une image disque.</translation>
    </message>
    <message>
        <source>It could not be lent.</source>
        <translation>Cela n’a pas pu être prêté.</translation>
    </message>
    <message>
        <source>The gadget was not forgotten.</source>
        <translation>Le gadget n’a pas été oublié.</translation>
    </message>
</context>
<context>
    <name>belay::ui::GadgetModel</name>
    <message>
        <source>Port %1</source>
        <extracomment>%1 is a USB port such as 1-2.3</extracomment>
        <translation>Port %1</translation>
    </message>
</context>
<context>
    <name>belay::ui::HistoryView</name>
    <message>
        <source>History</source>
        <translation>Historique</translation>
    </message>
    <message>
        <source>%1 for %2</source>
        <extracomment>Read to blind users: a state and how long it lasted</extracomment>
        <translation>%1 pendant %2</translation>
    </message>
    <message>
        <source>Read</source>
        <translation>Lu</translation>
    </message>
    <message>
        <source>Written</source>
        <translation>Écrit</translation>
    </message>
    <message>
        <source>now</source>
        <extracomment>How long ago; %1 is a duration such as 4:00</extracomment>
        <translation>maintenant</translation>
    </message>
    <message>
        <source>%1 ago</source>
        <translation>il y a %1</translation>
    </message>
    <message>
        <source>Select a device to see what it has done</source>
        <translation>Sélectionnez un périphérique pour voir ce qu’il a fait</translation>
    </message>
</context>
<context>
    <name>belay::ui::LendDialog</name>
    <message>
        <source>&amp;Read-only: the gadget cannot write to it</source>
        <translation>&amp;Lecture seule&#xa0;: le gadget ne peut pas y écrire</translation>
    </message>
    <message>
        <source>Lend an image to %1</source>
        <extracomment>The title of a dialog; %1 is a gadget&apos;s name</extracomment>
        <translation>Prêter une image à %1</translation>
    </message>
    <message>
        <source>&amp;Browse…</source>
        <translation>&amp;Parcourir…</translation>
    </message>
    <message>
        <source>Browse for the file</source>
        <translation>Chercher le fichier</translation>
    </message>
    <message>
        <source>File to lend</source>
        <translation>Fichier à prêter</translation>
    </message>
    <message>
        <source>Name on the gadget</source>
        <translation>Nom sur le gadget</translation>
    </message>
    <message>
        <source>Read-only</source>
        <translation>Lecture seule</translation>
    </message>
    <message>
        <source>About this file</source>
        <translation>À propos de ce fichier</translation>
    </message>
    <message>
        <source>&amp;File:</source>
        <translation>&amp;Fichier&#xa0;:</translation>
    </message>
    <message>
        <source>&amp;Name:</source>
        <translation>&amp;Nom&#xa0;:</translation>
    </message>
    <message>
        <source>&amp;Lend</source>
        <translation>P&amp;rêter</translation>
    </message>
    <message>
        <source>Choose what to lend</source>
        <translation>Choisir quoi prêter</translation>
    </message>
    <message>
        <source>Disk images (*.img *.iso *.raw)</source>
        <translation>Images disque (*.img *.iso *.raw)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>Choose a disk image or a block device. It becomes a disk on the gadget; keep it where it is while it is lent.</source>
        <translation>Choisissez une image disque ou un périphérique bloc. Il devient un disque du gadget&#xa0;; ne le déplacez pas tant qu’il est prêté.</translation>
    </message>
    <message>
        <source>There is no such file.</source>
        <translation>Ce fichier n’existe pas.</translation>
    </message>
    <message>
        <source>This is a folder. Choose a disk image.</source>
        <translation>C’est un dossier. Choisissez une image disque.</translation>
    </message>
    <message>
        <source>You may not write to this file, so it can be lent read-only.</source>
        <translation>Vous n’avez pas le droit d’écrire dans ce fichier&#xa0;; il peut être prêté en lecture seule.</translation>
    </message>
    <message>
        <source>%1 will be a disk of this size on the gadget.</source>
        <translation>Sur le gadget, ce sera un disque de cette taille&#xa0;: %1.</translation>
    </message>
    <message>
        <source>Opens a dialog in which to choose it</source>
        <translation>Ouvre une fenêtre pour le choisir</translation>
    </message>
    <message>
        <source>A disk image or a block device</source>
        <translation>Une image de disque ou un périphérique bloc</translation>
    </message>
    <message>
        <source>The file&apos;s own name, if this is empty</source>
        <translation>Le nom du fichier, si ce champ est vide</translation>
    </message>
    <message>
        <source>The gadget cannot write to it</source>
        <translation>Le gadget ne peut pas y écrire</translation>
    </message>
    <message>
        <source>Lend</source>
        <translation>Prêter</translation>
    </message>
    <message>
        <source>Gives the file to the gadget as a disk</source>
        <translation>Donne le fichier au gadget comme disque</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Lends nothing</source>
        <translation>Ne prête rien</translation>
    </message>
    <message>
        <source>Block size</source>
        <translation>Taille de bloc</translation>
    </message>
    <message>
        <source>Automatic</source>
        <extracomment>The block size is chosen by Belay</extracomment>
        <translation>Automatique</translation>
    </message>
    <message>
        <source>%1 bytes</source>
        <extracomment>A block size; %1 is a number</extracomment>
        <translation>%1 octets</translation>
    </message>
    <message>
        <source>Bloc&amp;k size:</source>
        <translation>Taille de &amp;bloc&#xa0;:</translation>
    </message>
    <message>
        <source>A partition table is found only with the block size that it was made for. “Automatic” takes a block device’s own size. Of a file it takes the size that it was lent with last; without one, 4096 bytes if its partition table was made for that, and else 512.</source>
        <translation>Une table de partitions n’est trouvée qu’avec la taille de bloc pour laquelle elle a été créée. «&#xa0;Automatique&#xa0;» prend la taille propre d’un périphérique bloc. Pour un fichier, c’est la taille avec laquelle il a été prêté en dernier&#xa0;; à défaut, 4096 octets si sa table de partitions a été créée pour cela, et sinon 512.</translation>
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
        <translation>État du service</translation>
    </message>
    <message>
        <source>What went wrong</source>
        <translation>Ce qui n’a pas marché</translation>
    </message>
    <message>
        <source>&amp;Recover</source>
        <translation>&amp;Rétablir</translation>
    </message>
    <message>
        <source>Ctrl+R</source>
        <translation>Ctrl+R</translation>
    </message>
    <message>
        <source>Tries at once to bring the device back</source>
        <translation>Essaie tout de suite de rétablir le périphérique</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>&amp;Arrêter</translation>
    </message>
    <message>
        <source>Ctrl+D</source>
        <translation>Ctrl+D</translation>
    </message>
    <message>
        <source>Saves what is not saved and removes the device</source>
        <translation>Enregistre ce qui ne l’est pas encore et retire le périphérique</translation>
    </message>
    <message>
        <source>&amp;Copy report</source>
        <translation>&amp;Copier le rapport</translation>
    </message>
    <message>
        <source>Ctrl+Shift+C</source>
        <translation>Ctrl+Shift+C</translation>
    </message>
    <message>
        <source>&amp;Lend an image…</source>
        <translation>Prêter une &amp;image…</translation>
    </message>
    <message>
        <source>Ctrl+L</source>
        <translation>Ctrl+L</translation>
    </message>
    <message>
        <source>&amp;Forget this gadget</source>
        <translation>&amp;Oublier ce gadget</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Quitter</translation>
    </message>
    <message>
        <source>&amp;Attach</source>
        <translation>Attache&amp;r</translation>
    </message>
    <message>
        <source>If &amp;unplugged</source>
        <translation>Si &amp;débranché</translation>
    </message>
    <message>
        <source>&amp;Gadget</source>
        <translation>&amp;Gadget</translation>
    </message>
    <message>
        <source>&amp;Device</source>
        <translation>&amp;Périphérique</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Aide</translation>
    </message>
    <message>
        <source>&amp;About Belay</source>
        <translation>À &amp;propos de Belay</translation>
    </message>
    <message>
        <source>Menu bar</source>
        <translation>Barre de menus</translation>
    </message>
    <message>
        <source>Gadgets</source>
        <translation>Gadgets</translation>
    </message>
    <message>
        <source>The phones and boards that are or were plugged in. Drop an image on one to lend it.</source>
        <translation>Les téléphones et cartes qui sont ou ont été branchés. Déposez une image sur l’un d’eux pour la prêter.</translation>
    </message>
    <message>
        <source>No gadget yet</source>
        <translation>Aucun gadget pour l’instant</translation>
    </message>
    <message>
        <source>Plug in a phone or a board on which belay-gadget runs.</source>
        <translation>Branchez un téléphone ou une carte où belay-gadget est en marche.</translation>
    </message>
    <message>
        <source>Attach a share of the gadget</source>
        <translation>Attacher un partage du gadget</translation>
    </message>
    <message>
        <source>Lend an image to the gadget</source>
        <translation>Prêter une image au gadget</translation>
    </message>
    <message>
        <source>Asking the helper service…</source>
        <translation>Interrogation du service auxiliaire…</translation>
    </message>
    <message>
        <source>The helper service is restarting. Nothing is lost: disks that were in use go on without it.</source>
        <translation>Le service auxiliaire redémarre. Rien n’est perdu&#xa0;: les disques utilisés continuent sans lui.</translation>
    </message>
    <message>
        <source>The helper service belayd is not installed on this computer. Install Belay&apos;s package, or run “cmake --install” for the folder it was built in.</source>
        <translation>Le service auxiliaire belayd n’est pas installé sur cet ordinateur. Installez le paquet de Belay, ou lancez «&#xa0;cmake --install&#xa0;» pour le dossier où il a été compilé.</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Réessayer</translation>
    </message>
    <message>
        <source>The helper service cannot be reached: %1 Look at “journalctl -u belayd”.</source>
        <translation>Le service auxiliaire est injoignable&#xa0;: %1 Consultez «&#xa0;journalctl -u belayd&#xa0;».</translation>
    </message>
    <message>
        <source>There is no system bus here: %1 Start dbus, then start Belay again.</source>
        <translation>Il n’y a pas de bus système ici&#xa0;: %1 Démarrez dbus, puis relancez Belay.</translation>
    </message>
    <message>
        <source>Nothing to show</source>
        <translation>Rien à afficher</translation>
    </message>
    <message>
        <source>The helper service is not there.</source>
        <translation>Le service auxiliaire n’est pas là.</translation>
    </message>
    <message>
        <source>Plug in a gadget</source>
        <translation>Branchez un gadget</translation>
    </message>
    <message>
        <source>On the gadget, run “belay-gadget --share FILE” to give this computer a disk, or “belay-gadget --lend-ready” to borrow one from it. Then plug the gadget in here.</source>
        <translation>Sur le gadget, lancez «&#xa0;belay-gadget --share FICHIER&#xa0;» pour donner un disque à cet ordinateur, ou «&#xa0;belay-gadget --lend-ready&#xa0;» pour lui en emprunter un. Branchez ensuite le gadget ici.</translation>
    </message>
    <message>
        <source>No disks yet</source>
        <translation>Aucun disque pour l’instant</translation>
    </message>
    <message>
        <source>Press Attach to use what the gadget shares as a disk of this computer, or Lend an image to give the gadget a disk.</source>
        <translation>Appuyez sur Attacher pour utiliser ce que le gadget partage comme un disque de cet ordinateur, ou sur Prêter une image pour donner un disque au gadget.</translation>
    </message>
    <message>
        <source>About Belay</source>
        <translation>À propos de Belay</translation>
    </message>
    <message>
        <source>Belay %1</source>
        <translation>Belay %1</translation>
    </message>
    <message>
        <source>Disks over a USB cable that survive the cable being pulled.</source>
        <translation>Des disques par câble USB qui survivent au débranchement du câble.</translation>
    </message>
    <message>
        <source>All that can be done with gadgets and devices</source>
        <translation>Tout ce que l’on peut faire avec les gadgets et les périphériques</translation>
    </message>
    <message>
        <source>Makes a disk of this computer of what it shares</source>
        <translation>Fait de ce qu’il partage un disque de cet ordinateur</translation>
    </message>
    <message>
        <source>Gives the gadget a disk whose bytes stay here</source>
        <translation>Donne au gadget un disque dont les octets restent ici</translation>
    </message>
</context>
<context>
    <name>belay::ui::MessageBar</name>
    <message>
        <source>%1: message</source>
        <extracomment>Read to blind users; %1 is what the bar is about</extracomment>
        <translation>%1&#xa0;: message</translation>
    </message>
    <message>
        <source>Close this message</source>
        <translation>Fermer ce message</translation>
    </message>
    <message>
        <source>No action</source>
        <translation>Aucune action</translation>
    </message>
    <message>
        <source>What it is about goes on</source>
        <translation>Ce dont il parle continue</translation>
    </message>
    <message>
        <source>What can be done about the message</source>
        <translation>Ce que l’on peut faire à propos de ce message</translation>
    </message>
</context>
<context>
    <name>belay::ui::Notifications</name>
    <message>
        <source>Details</source>
        <translation>Détails</translation>
    </message>
    <message>
        <source>Recover</source>
        <translation>Rétablir</translation>
    </message>
</context>
<context>
    <name>belay::ui::RequestModel</name>
    <message>
        <source>Operation</source>
        <translation>Opération</translation>
    </message>
    <message>
        <source>Offset</source>
        <extracomment>Where on the disk a request begins, in bytes; a column&apos;s heading</extracomment>
        <translation>Position</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>Longueur</translation>
    </message>
    <message>
        <source>Age</source>
        <translation>Âge</translation>
    </message>
    <message>
        <source>State</source>
        <translation>État</translation>
    </message>
</context>
<context>
    <name>belay::ui::Service</name>
    <message>
        <source>The helper service ended meanwhile. Look at the device&apos;s state.</source>
        <translation>Le service auxiliaire s’est arrêté entre-temps. Regardez l’état du périphérique.</translation>
    </message>
    <message>
        <source>Its outcome is not known.</source>
        <translation>Le résultat n’est pas connu.</translation>
    </message>
</context>
<context>
    <name>belay::ui::Tray</name>
    <message>
        <source>Show &amp;window</source>
        <translation>&amp;Afficher la fenêtre</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Quitter</translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) need attention</source>
        <translation>
            <numerusform>%n périphérique demande de l’attention</numerusform>
            <numerusform>%n périphériques demandent de l’attention</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) unplugged, waiting</source>
        <translation>
            <numerusform>%n périphérique débranché, en attente</numerusform>
            <numerusform>%n périphériques débranchés, en attente</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n device(s) in use</source>
        <translation>
            <numerusform>%n périphérique utilisé</numerusform>
            <numerusform>%n périphériques utilisés</numerusform>
        </translation>
    </message>
    <message>
        <source>No devices</source>
        <translation>Aucun périphérique</translation>
    </message>
    <message>
        <source>The helper service is not there.</source>
        <translation>Le service auxiliaire n’est pas là.</translation>
    </message>
    <message>
        <source>&amp;Recover</source>
        <translation>&amp;Rétablir</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>&amp;Arrêter</translation>
    </message>
</context>
</TS>
