<?php
// A worker for ClawActors in PHP 8.1 or newer, without dependencies: Claw\serve(['name' => ['run' => function…]]).
// Each task runs in a fiber: while it waits, others go on. Only a step that computes holds up the others.
// The protocol is described in docs/workers.md. Standard output belongs to it: what is echoed goes to the task's log.
declare(strict_types=1);

namespace Claw;

use Fiber;
use Throwable;

const PROTOCOL = 1;

/** An error with a class (`network`, `validation`, …), and whether it is worth another try. */
class TaskError extends \RuntimeException
{
    public function __construct(
        string $message,
        public string $class = '',
        public ?bool $retryable = null,
        public string $type = 'TaskError',
        public mixed $data = null,
    ) {
        parent::__construct($message);
    }
}

final class CancelledError extends TaskError
{
    public function __construct(string $message = 'the task was cancelled')
    {
        parent::__construct($message, 'cancelled', false, 'CancelledError');
    }
}

/** What the code of a skill holds: the calls of Python's `Task`. Each returns once its answer is there. */
final class Task
{
    public readonly string $id;
    public readonly int $attempt;
    public bool $cancelled = false;
    public ?Fiber $fiber = null;
    private int $next = 1;
    private bool $inStep = false;

    public function __construct(public readonly string $key, array $run)
    {
        $this->id = $run['task'];
        $this->attempt = $run['attempt_number'];
    }

    /** Makes a call and waits for its answer; `$do` is the function of a step. */
    public function call(string $method, array $args = [], array $options = [], ?callable $do = null): mixed
    {
        $id = $this->next++;
        send(['op' => 'call', 'attempt' => $this->key, 'id' => $id, 'method' => $method, 'args' => $args,
            'options' => (object) $options]);
        $own = null;
        while (($message = Fiber::suspend($id))['op'] === 'do') {
            try {
                $this->inStep = true;
                send(['op' => 'done', 'attempt' => $this->key, 'id' => $id, 'value' => $do()]);
            } catch (Throwable $error) {
                $own = $error;
                send(['op' => 'failed', 'attempt' => $this->key, 'id' => $id, 'error' => told($error)]);
            } finally {
                $this->inStep = false;
            }
        }
        $error = $message['error'] ?? null;
        if ($error === null) {
            return $message['value'] ?? null;
        }
        if (($error['class'] ?? '') === 'cancelled') {
            throw new CancelledError($error['message'] ?? '');
        }
        throw $own ?? new TaskError($error['message'] ?? '', $error['class'] ?? '', $error['retryable'] ?? null,
            $error['type'] ?? 'Error', $error['data'] ?? null);
    }

    /** Runs the function once in the life of the task; `$retry` as in ['max_retries' => 3, 'wait_s' => 1]. */
    public function step(string $name, callable $work, array $args = [], ?array $retry = null): mixed
    {
        $options = $retry === null ? [] : ['retry' => $retry];
        return $this->call('step', [$name, ...$args], $options, fn () => $work(...$args));
    }

    public function sleep(string|float $duration): void { $this->call('sleep', [$duration]); }
    public function signal(string $name, string|float|null $timeout = null): mixed { return $this->call('signal', [$name, $timeout]); }
    public function approve(string $question, array $options = []): array { return $this->call('approve', [$question], $options); }
    public function run(string $skill, array $params = [], array $options = []): mixed { return $this->call('run', [$skill, (object) $params], $options); }
    public function emit(mixed $chunk): void { $this->call('emit', [$chunk]); }
    public function secret(string $name): string { return $this->call('secret', [$name]); }
    public function remember(string $text, array $options = []): string { return $this->call('remember', [$text], $options); }
    public function recall(string $text, array $options = []): array { return $this->call('recall', [$text], $options); }
    public function results(): array { return $this->call('results'); }
    public function plan(array $steps): void { $this->call('plan', [$steps]); }
    /** ['name', 'bytes', 'sha256', 'path', 'reference']: the file lies at `path` until the attempt ends. */
    public function file(string|array $name): array { return $this->call('file', [$name]); }
    public function saveFile(string $name, string $path): array
    {
        return $this->call('save_file', [$name, realpath($path)], $this->inStep ? ['within_step' => true] : []);
    }
    public function progress(float $done, float $total = 1): void { send(['op' => 'progress', 'attempt' => $this->key, 'done' => $done, 'total' => $total]); }
    public function heartbeat(): void { send(['op' => 'heartbeat', 'attempt' => $this->key]); }
    public function log(string $text, string $level = 'info'): void
    {
        send(['op' => 'log', 'attempt' => $this->key, 'text' => $text, 'level' => $level, 'logger' => 'worker']);
    }
}

function send(array $message): void
{
    $flags = JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION;
    $line = "\n" . json_encode($message, $flags) . "\n"; // a line of its own, whatever stands on the present one
    for ($written = 0; $written < strlen($line); $written += $count) {
        $count = fwrite(STDOUT, substr($line, $written));
        if ($count === false || $count === 0) {
            exit(1); // the node is gone
        }
    }
}

function told(Throwable $error): array
{
    $told = ['message' => substr($error->getMessage(), 0, 2000), 'type' => $error::class,
        'traceback' => substr((string) $error, 0, 16000)];
    if ($error instanceof TaskError) {
        $told = ['type' => $error->type] + $told;
        if ($error->class !== '') { $told['class'] = $error->class; }
        if ($error->retryable !== null) { $told['retryable'] = $error->retryable; }
    } elseif ($error instanceof \Error) { // of the code itself: no other try mends it
        $told['class'] = 'validation';
    }
    return $told;
}

/** Offers the skills until the node ends this process: ['name' => ['run' => …, 'parameters' => …, …]]. */
function serve(array $skills): never
{
    ini_set('display_errors', 'stderr');
    $tasks = $left = [];
    $current = null;
    ob_start(function (string $text) use (&$current): string { // what is echoed would be read as messages
        if (trim($text) !== '') {
            $current === null ? fwrite(STDERR, $text) : $current->log(rtrim($text));
        }
        return '';
    }, 1);
    // Goes on in the fiber of a task with a message for it.
    $resume = function (Task $task, callable $go) use (&$tasks, &$current): void {
        $current = $task;
        try {
            $go();
            if ($task->fiber->isTerminated()) {
                send(['op' => 'result', 'attempt' => $task->key, 'value' => $task->fiber->getReturn()]);
                unset($tasks[$task->key]);
            }
        } catch (Throwable $error) {
            send(['op' => 'error', 'attempt' => $task->key, 'error' => told($error)]);
            unset($tasks[$task->key]);
        } finally {
            $current = null;
        }
    };
    while (($line = fgets(STDIN)) !== false) {
        $message = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
        $task = $tasks[$message['attempt'] ?? ''] ?? null;
        switch ($message['op']) {
            case 'hello':
                if (!in_array(PROTOCOL, $message['protocols'], true)) {
                    fwrite(STDERR, "the node does not speak protocol " . PROTOCOL . "\n");
                    exit(78);
                }
                $offered = array_map(fn ($name, $skill) => ['name' => $name] + array_diff_key($skill, ['run' => 0]),
                    array_keys($skills), $skills);
                send(['op' => 'hello', 'protocol' => PROTOCOL, 'language' => 'php ' . PHP_VERSION, 'skills' => $offered]);
                break;
            case 'run':
                $task = $tasks[$message['attempt']] = new Task($message['attempt'], $message);
                $run = $skills[$message['skill']]['run'];
                $task->fiber = new Fiber(fn () => $run($task, $message['params']));
                $resume($task, fn () => $task->fiber->start());
                break;
            case 'do':
            case 'reply':
                if ($task?->fiber->isSuspended()) {
                    $resume($task, fn () => $task->fiber->resume($message));
                }
                break;
            case 'cancel':
                if ($task !== null) { $task->cancelled = true; } // its open call is answered by an error
                break;
            case 'drop':
                if ($task !== null) {
                    $left[] = $task; // kept: to destroy a fiber would run its `finally`
                    unset($tasks[$task->key]);
                }
                break;
            case 'ping':
                send(['op' => 'pong', 'id' => $message['id']]);
                break;
            case 'refused':
                fwrite(STDERR, "the node refused line {$message['line']}: {$message['message']}\n");
        }
    }
    if (($left || $tasks) && function_exists('posix_kill')) {
        posix_kill(getmypid(), SIGKILL); // what waits goes on elsewhere: its `finally` must not run here
    }
    exit(0);
}
