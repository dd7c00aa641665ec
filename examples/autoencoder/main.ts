// Placeholder of the main job: proves that the start command installs and passes its arguments through.
console.log(process.argv.slice(2).join(' '));
