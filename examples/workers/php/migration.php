<?php
declare(strict_types=1);

use Claw\TaskError;

/**
 * A CSV table on its way into another file, batch by batch, so that it can be killed at any moment.
 * A batch is a file that gets its name at one stroke: one that runs again writes the same file again.
 */
final class Migration
{
    private string $parts;

    public function __construct(string $task, private string $source, private string $target, private int $batch)
    {
        if (!is_file($source)) {
            throw new TaskError("there is no file $source", 'validation');
        }
        if ($batch < 1) {
            throw new TaskError("a batch has 1 row or more, not $batch", 'validation');
        }
        $this->parts = "$target.$task.parts";
    }

    /** How many rows there are. */
    public function prepare(): int
    {
        if (!is_dir($this->parts)) {
            mkdir($this->parts, 0777, true);
        }
        $rows = 0;
        foreach ($this->rows($this->source) as $ignored) {
            $rows++;
        }
        return $rows;
    }

    /** Copies the batch that begins with row `$start`; returns its number of rows. */
    public function copy(int $start): int
    {
        $part = sprintf('%s/%012d.csv', $this->parts, $start);
        $file = fopen("$part.new", 'w');
        $rows = 0;
        foreach ($this->rows($this->source) as $number => $row) {
            if ($number >= $start + $this->batch) {
                break;
            }
            if ($number >= $start) {
                fputcsv($file, $row, escape: '');
                $rows++;
            }
        }
        if (!fflush($file) || !fsync($file)) {
            throw new TaskError("$part can't be written");
        }
        fclose($file);
        rename("$part.new", $part);
        return $rows;
    }

    /** Joins the batches, compares with the source, and gives the target its name. */
    public function verify(): array
    {
        $wanted = $this->summary($this->source);
        if (!is_file($this->target) || $this->summary($this->target) !== $wanted) {
            $joined = fopen("{$this->target}.new", 'w');
            foreach (glob("{$this->parts}/*.csv") as $part) {
                stream_copy_to_stream(fopen($part, 'r'), $joined);
            }
            fsync($joined);
            fclose($joined);
            $found = $this->summary("{$this->target}.new");
            if ($found !== $wanted) {
                $rows = "{$this->source} has {$wanted[0]} rows, its copy {$found[0]}";
                throw new TaskError("$rows: was it changed meanwhile?", 'validation');
            }
            rename("{$this->target}.new", $this->target);
        }
        foreach (glob("{$this->parts}/*") as $part) {
            unlink($part);
        }
        @rmdir($this->parts);
        return ['rows' => $wanted[0], 'sha256' => $wanted[1]];
    }

    private function rows(string $path): Generator
    {
        $file = fopen($path, 'r');
        while (($row = fgetcsv($file, escape: '')) !== false) {
            yield $row;
        }
        fclose($file);
    }

    private function summary(string $path): array
    {
        $hash = hash_init('sha256');
        $rows = 0;
        foreach ($this->rows($path) as $row) {
            hash_update($hash, json_encode($row) . "\n");
            $rows++;
        }
        return [$rows, hash_final($hash)];
    }
}
