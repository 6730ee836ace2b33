# Completions of framewire for fish.

set -l commands run demo check devices doctor sdp prepare password help
complete -c framewire -f
complete -c framewire -n "not __fish_seen_subcommand_from $commands" -a run -d 'stream every camera of the configuration'
complete -c framewire -n "not __fish_seen_subcommand_from $commands" -a demo -d 'stream a built-in test pattern'
complete -c framewire -n "not __fish_seen_subcommand_from $commands" -a check -d 'read the configuration and say what is wrong with it'
complete -c framewire -n "not __fish_seen_subcommand_from $commands" -a devices -d 'list capture devices'
complete -c framewire -n "not __fish_seen_subcommand_from $commands" -a doctor -d 'look at the pictures of one camera'
complete -c framewire -n "not __fish_seen_subcommand_from $commands" -a sdp -d 'print the session description for a player'
complete -c framewire -n "not __fish_seen_subcommand_from $commands" -a prepare -d 'put the configuration of a flashed image into force'
complete -c framewire -n "not __fish_seen_subcommand_from $commands" -a password -d 'print the [[user]] block of a user'
complete -c framewire -n "not __fish_seen_subcommand_from $commands" -a help -d 'print the help'

complete -c framewire -s h -l help -d 'print the help'
complete -c framewire -s V -l version -d 'print the version'
complete -c framewire -n '__fish_seen_subcommand_from run check sdp prepare' -l config -r -F -d 'configuration'
complete -c framewire -n '__fish_seen_subcommand_from run check' -F
complete -c framewire -n '__fish_seen_subcommand_from run' -l device -x -a 'auto demo /dev/video*' -d 'stream this camera, without a configuration'
complete -c framewire -n '__fish_seen_subcommand_from run demo' -l to -x -d 'destination HOST:PORT'
complete -c framewire -n '__fish_seen_subcommand_from run doctor' -l size -x -d 'picture size WxH'
complete -c framewire -n '__fish_seen_subcommand_from run doctor' -l fps -x -d 'frame rate'
complete -c framewire -n '__fish_seen_subcommand_from run demo' -l http -x -d 'address of the page HOST:PORT'
complete -c framewire -n '__fish_seen_subcommand_from demo' -l no-http -d 'no page for browsers'
complete -c framewire -n '__fish_seen_subcommand_from run demo' -l frames -x -d 'end after so many frames of each camera'
complete -c framewire -n '__fish_seen_subcommand_from doctor' -l frames -x -d 'look at so many pictures'
complete -c framewire -n '__fish_seen_subcommand_from doctor' -l save -r -F -d 'keep three pictures in this new file'
complete -c framewire -n '__fish_seen_subcommand_from doctor' -x -a 'auto demo /dev/video*'
complete -c framewire -n '__fish_seen_subcommand_from run demo' -l timeout -x -d 'end after so many seconds'
complete -c framewire -n '__fish_seen_subcommand_from run demo' -l interval -x -d 'seconds from one summary to the next'
complete -c framewire -n '__fish_seen_subcommand_from run demo devices doctor' -l json -d 'print JSON instead of text'
complete -c framewire -n '__fish_seen_subcommand_from prepare' -l state -x -a '(__fish_complete_directories)' -d 'folder of the last good configuration'
complete -c framewire -n '__fish_seen_subcommand_from prepare' -l root -x -a '(__fish_complete_directories)' -d 'write below this folder instead of /'
