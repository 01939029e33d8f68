<?php
// A PHP host: claw up --worker 'php examples/workers/php/worker.php'
declare(strict_types=1);

require __DIR__ . '/claw.php';
require __DIR__ . '/package.php';
require __DIR__ . '/migration.php';

use Claw\Task;

$text = ['type' => 'string'];

Claw\serve([
    'php-install-package' => [
        'description' => 'Installs a package in five steps, each of which may fail and run again.',
        'parameters' => ['type' => 'object', 'required' => ['package', 'into'],
            'properties' => ['package' => $text, 'into' => $text, 'dsn' => $text, 'trace' => $text]],
        'run' => function (Task $task, array $params): array {
            $package = new Package($params['package'], $params['into'], $params['dsn'] ?? '');
            $step = function (string $name, callable $work) use ($task, $params): mixed {
                return $task->step($name, function () use ($name, $work, $params): mixed {
                    trace($params, $name);
                    return $work();
                });
            };
            $task->plan(['check-dependencies', 'verify-files', 'import-sql', 'install', 'clear-caches']);
            return [
                'found' => $step('check-dependencies', $package->checkDependencies(...)),
                'files' => $step('verify-files', $package->verifyFiles(...)),
                'statements' => $step('import-sql', $package->importSql(...)),
                'folder' => $step('install', $package->install(...)),
                'cleared' => $step('clear-caches', $package->clearCaches(...)),
            ];
        },
    ],
    'php-migrate-table' => [
        'description' => 'Copies a CSV table in batches of 100 rows, then compares the two.',
        'parameters' => ['type' => 'object', 'required' => ['source', 'target'], 'properties' => ['source' => $text,
            'target' => $text, 'batch' => ['type' => 'integer'], 'pause_ms' => ['type' => 'integer'], 'trace' => $text]],
        'run' => function (Task $task, array $params): array {
            $migration = new Migration($task->id, $params['source'], $params['target'], $params['batch'] ?? 100);
            $total = $task->step('prepare', $migration->prepare(...));
            for ($copied = 0; $copied < $total; $copied += $done) {
                $done = $task->step("copy-$copied", function () use ($migration, $copied, $params): int {
                    trace($params, "copy-$copied");
                    usleep(1000 * ($params['pause_ms'] ?? 0));
                    return $migration->copy($copied);
                });
                $task->progress($copied + $done, $total);
            }
            return $task->step('verify', $migration->verify(...));
        },
    ],
]);

/** One line in a file for each run of a step, before its work: for tests. */
function trace(array $params, string $name): void
{
    if (($params['trace'] ?? '') !== '') {
        file_put_contents($params['trace'], "$name\n", FILE_APPEND | LOCK_EX);
    }
}
