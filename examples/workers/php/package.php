<?php
declare(strict_types=1);

use Claw\TaskError;

/** One package on its way into one folder: `manifest.json` names its files with their SHA-256. */
final class Package
{
    private array $manifest;

    public function __construct(private string $package, private string $into, private string $dsn)
    {
        $text = @file_get_contents("$package/manifest.json");
        if ($text === false) {
            throw new TaskError("$package is no package: it has no manifest.json", 'validation');
        }
        $this->manifest = json_decode($text, true) ?? throw new TaskError("$package/manifest.json is no JSON", 'validation');
        foreach ([...array_keys($this->manifest['files'] ?? []), ...($this->manifest['caches'] ?? [])] as $name) {
            if ($name === '' || $name[0] === '/' || in_array('..', explode('/', $name), true) || str_contains($name, "\0")) {
                throw new TaskError("the manifest names $name, which is outside the package", 'validation');
            }
        }
        if (!preg_match('/\A\d+(\.\d+)*\z/', $this->manifest['version'] ?? '')) {
            throw new TaskError('the manifest has no version', 'validation');
        }
    }

    public function checkDependencies(): array
    {
        $found = ['PHP ' . PHP_VERSION];
        if (version_compare(PHP_VERSION, $this->manifest['requires']['php'] ?? '8.1', '<')) {
            throw new TaskError("it needs PHP {$this->manifest['requires']['php']}, this is " . PHP_VERSION, 'validation');
        }
        foreach ($this->manifest['requires']['extensions'] ?? [] as $name) {
            if (!extension_loaded($name)) {
                throw new TaskError("it needs the extension $name, which is not installed here", 'validation');
            }
            $found[] = $name;
        }
        return $found;
    }

    public function verifyFiles(): int
    {
        foreach ($this->manifest['files'] as $name => $digest) {
            $found = @hash_file('sha256', "{$this->package}/$name");
            if ($found === false) {
                throw new TaskError("$name is missing from {$this->package}", 'validation');
            }
            if ($found !== $digest) {
                throw new TaskError("$name is corrupt: its SHA-256 is not that of the manifest", 'validation');
            }
        }
        return count($this->manifest['files']);
    }

    /** In one transaction where a `dsn` is given; a mark in the database says that it is done. */
    public function importSql(): int
    {
        $script = file_get_contents("{$this->package}/{$this->manifest['sql']}");
        $statements = array_values(array_filter(array_map(trim(...), explode(";\n", $script)), strlen(...)));
        if ($this->dsn === '') {
            return count($statements);
        }
        $driver = strstr($this->dsn, ':', true);
        if (!in_array($driver, PDO::getAvailableDrivers(), true)) {
            throw new TaskError("this PHP has no PDO driver $driver", 'validation');
        }
        $db = new PDO($this->dsn, options: [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
        $db->exec('CREATE TABLE IF NOT EXISTS installed (version VARCHAR(50) PRIMARY KEY)');
        $db->beginTransaction();
        $known = $db->prepare('SELECT COUNT(*) FROM installed WHERE version = ?');
        $known->execute([$this->manifest['version']]);
        if (!$known->fetchColumn()) {
            foreach ($statements as $statement) {
                $db->exec($statement);
            }
            $db->prepare('INSERT INTO installed VALUES (?)')->execute([$this->manifest['version']]);
        }
        $db->commit();
        return count($statements);
    }

    /** Copies into a folder beside, which gets its name at one stroke. */
    public function install(): string
    {
        $final = "{$this->into}/versions/{$this->manifest['version']}";
        $stage = "{$this->into}/.new-" . getmypid();
        remove($stage);
        foreach ($this->manifest['files'] as $name => $digest) {
            @mkdir(dirname("$stage/$name"), 0777, true);
            if (!copy("{$this->package}/$name", "$stage/$name") || hash_file('sha256', "$stage/$name") !== $digest) {
                throw new TaskError("$name could not be copied to {$this->into}");
            }
        }
        @mkdir(dirname($final), 0777, true);
        if (is_dir($final)) { // of an attempt that was killed after this, or damaged
            rename($final, "$stage.old");
        }
        rename($stage, $final);
        remove("$stage.old");
        @unlink("$stage.link");
        symlink("versions/{$this->manifest['version']}", "$stage.link");
        rename("$stage.link", "{$this->into}/current");
        return $final;
    }

    public function clearCaches(): int
    {
        $cleared = 0;
        foreach ($this->manifest['caches'] ?? [] as $name) {
            foreach (glob("{$this->into}/$name/*") ?: [] as $entry) {
                remove($entry);
                $cleared++;
            }
        }
        return $cleared;
    }
}

/** Removes a file, a link, or a folder with all that is in it; a link is never followed. */
function remove(string $path): void
{
    if (is_link($path) || is_file($path)) {
        unlink($path);
    } elseif (is_dir($path)) {
        foreach (scandir($path) as $name) {
            if ($name !== '.' && $name !== '..') {
                remove("$path/$name");
            }
        }
        rmdir($path);
    }
}
