<?php
// For hosts that keep no process running. In the crontab:
//   * * * * * cd /srv/app && php cron.php --node web1 --for 50
// Asks the cluster for interrupted tasks of this host's skills, resumes those that wait for somebody to do so, and is
// a node of the cluster for so many seconds: what was interrupted goes on after its last completed step.
declare(strict_types=1);

$options = getopt('', ['node:', 'for:', 'slots:', 'retries:', 'claw:', 'skills:', 'worker:', 'state:']) + [
    'node' => gethostname(), 'for' => '50', 'slots' => '2', 'retries' => '1', 'claw' => getenv('CLAW') ?: 'claw',
    'skills' => 'php-install-package,php-migrate-table', 'worker' => 'php ' . escapeshellarg(__DIR__ . '/worker.php'),
    'state' => sys_get_temp_dir() . '/claw-cron.json',
];

$lock = fopen("{$options['state']}.lock", 'c');
if (!flock($lock, LOCK_EX | LOCK_NB)) {
    exit(0); // the run of the last minute goes on
}

/** What a command answers. It exits like the command where that fails. */
function claw(string $claw, string ...$words): mixed
{
    $line = "$claw --json " . implode(' ', array_map(escapeshellarg(...), $words));
    exec($line, $lines, $code);
    if ($code !== 0 && $code !== 4) { // 4: it has moved on meanwhile
        fwrite(STDERR, "$line: exit code $code\n");
        exit($code);
    }
    return json_decode(implode("\n", $lines), true);
}

$retried = json_decode(@file_get_contents($options['state']) ?: '{}', true) ?: [];
$report = ['interrupted' => [], 'resumed' => [], 'retried' => [], 'given_up' => []];
foreach (explode(',', $options['skills']) as $skill) {
    foreach (claw($options['claw'], 'tasks', '--interrupted', '--skill', $skill, '--fresh') as $row) {
        $id = $row['id'];
        $report['interrupted'][] = $id;
        if ($row['status'] === 'paused') {
            claw($options['claw'], 'resume', $id);
            $report['resumed'][] = $id;
        } elseif ($row['status'] === 'dead' && ($retried[$id] ?? 0) < (int) $options['retries']) {
            $retried[$id] = ($retried[$id] ?? 0) + 1; // before: a task that kills this host is not retried for ever
            file_put_contents($options['state'], json_encode($retried), LOCK_EX);
            claw($options['claw'], 'retry', $id);
            $report['retried'][] = $id;
        } elseif ($row['status'] === 'dead') {
            $report['given_up'][] = $id;
        } // what is pending goes on by itself as soon as there is a node
    }
}
echo json_encode($report), "\n";

if ((int) $options['for'] > 0) {
    $join = "exec {$options['claw']} join --id " . escapeshellarg($options['node']) . ' --slots ' . (int) $options['slots']
        . ' --worker ' . escapeshellarg($options['worker']);
    $node = proc_open($join, [0 => ['file', '/dev/null', 'r'], 1 => STDERR, 2 => STDERR], $pipes);
    $until = microtime(true) + (int) $options['for'];
    if (function_exists('pcntl_async_signals')) {
        pcntl_async_signals(true);
        $stop = function () use (&$until): void { $until = 0; };
        pcntl_signal(SIGTERM, $stop);
        pcntl_signal(SIGINT, $stop);
    }
    while (microtime(true) < $until && ($status = proc_get_status($node))['running']) {
        usleep(100_000);
    }
    proc_terminate($node, SIGTERM); // it hands back what it has not completed
    while (($status = proc_get_status($node))['running']) {
        usleep(100_000);
    }
    exit($status['exitcode'] > 0 ? $status['exitcode'] : 0);
}
